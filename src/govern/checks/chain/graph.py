"""The shape of the chain: ids that are not unique, cycles, several heads, several bases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from govern.checks.chain.places import revision_subject, show_path
from govern.checks.chain.rules import CYCLE, DUPLICATE_ID, MULTIPLE_BASES, MULTIPLE_HEADS
from govern.core.finding import Finding, Severity, Subject
from govern.revisions.graph import Chain, RevisionFile, reachable


def check_graph(chain: Chain, *, root: Path) -> Iterator[Finding]:
    """One finding for each problem.

    A cycle that leads through a duplicate id is not reported: the duplicate is, and may be all of it.
    Parts of the chain that hang together nowhere are several bases (or missing parents), not several heads.
    """
    duplicates = _files_by_id(chain)
    for files in duplicates.values():
        yield _duplicate(files, root)
    yield from _duplicate_labels(chain, root)
    for cycle in find_cycles(chain.parents, without=duplicates.keys()):
        yield _cycle(chain, cycle, root)
    part_of = _connected_parts(chain)
    heads_by_part: dict[int, list[str]] = defaultdict(list)
    for head in chain.heads:
        heads_by_part[part_of[head]].append(head)
    for heads in heads_by_part.values():
        if len(heads) > 1:
            yield find_multiple_heads(chain, heads, root)
    if len(chain.bases) > 1:
        yield _multiple_bases(chain, part_of, root)


def find_cycles(
    edges: Mapping[str, Sequence[str]], *, without: Collection[str] = ()
) -> Iterator[tuple[str, ...]]:
    """Cycles along ``edges`` that share no node: at least one among any nodes that all lead to each other.

    Each is given as the nodes in the order of the edges, without the first repeated at the end.
    """
    finished: set[str] = set(without)
    in_a_cycle: set[str] = set()
    for start in edges:
        path: list[_Step] = [] if start in finished else [_Step(start, iter(edges[start]), -1)]
        places = {step.node: place for place, step in enumerate(path)}
        while path:
            step = path[-1]
            next_ = next((other for other in step.remaining if other not in finished), None)
            if next_ is None:
                finished.add(step.node)
                del places[path.pop().node]
            elif next_ not in places:
                last = places[step.node] if step.node in in_a_cycle else step.last_in_a_cycle
                places[next_] = len(path)
                path.append(_Step(next_, iter(edges[next_]), last))
            elif step.node not in in_a_cycle and places[next_] > step.last_in_a_cycle:
                cycle = tuple(step.node for step in path[places[next_] :])
                in_a_cycle.update(cycle)
                yield cycle


class _Step(NamedTuple):
    """A node on the path of a walk, the edges not followed yet, and the last place before it that is part of
    a cycle already found."""

    node: str
    remaining: Iterator[str]
    last_in_a_cycle: int


def _connected_parts(chain: Chain) -> Mapping[str, int]:
    """The number of the part each revision is in: a part hangs together by ``down_revision``."""
    neighbours = {id_: (*chain.down[id_], *chain.children[id_]) for id_ in chain.revisions}
    part_of: dict[str, int] = {}
    for id_ in chain.revisions:
        if id_ not in part_of:
            part_of.update(dict.fromkeys(reachable([id_], neighbours), len(part_of)))
    return part_of


def _files_by_id(chain: Chain) -> Mapping[str, list[RevisionFile]]:
    """Ids that are not unique."""
    if len(chain.files) == len(chain.revisions):
        return {}
    files: dict[str, list[RevisionFile]] = defaultdict(list)
    for file in chain.files:
        files[file.revision].append(file)
    return {id_: found for id_, found in files.items() if len(found) > 1}


def _duplicate(files: Sequence[RevisionFile], root: Path) -> Finding:
    first, *others = files
    paths = [show_path(file.path, root) for file in files]
    are_copies = all(file.checksum == first.checksum for file in others)
    return Finding.of(
        DUPLICATE_ID,
        revision_subject(others[-1], root, at="revision"),
        f"{len(files)} files have the revision id {first.revision!r}: {', '.join(paths)}",
        remedy=f"they are copies: delete all but {paths[0]}"
        if are_copies
        else f"give all but one an id of its own, for instance in {paths[-1]}, "
        "and correct the down_revision of what follows it",
        evidence={"files": paths},
    )


def _duplicate_labels(chain: Chain, root: Path) -> Iterator[Finding]:
    """Alembic: "Branch name 'x' in revision b already used by revision a"; an id counts as used, too."""
    seen: dict[str, str] = dict.fromkeys(chain.revisions, "a revision's id")
    for file in chain.files:
        for label in file.branch_labels or ():
            if label in seen:
                yield Finding.of(
                    DUPLICATE_ID,
                    revision_subject(file, root, at="branch_labels"),
                    f"the branch label {label!r} of revision {file.revision} is already {seen[label]}",
                    why="Alembic raises RevisionError for every command",
                    remedy="choose another label",
                )
            seen.setdefault(label, f"a label of revision {file.revision}")


def _cycle(chain: Chain, cycle: tuple[str, ...], root: Path) -> Finding:
    """Named where it most likely was made: at a merge that takes in its own descendant, or a depends_on."""
    child, parent = max(
        zip(cycle, (*cycle[1:], cycle[0]), strict=True), key=lambda edge: _suspicion(chain, *edge)
    )
    file = chain.revisions[child]
    variable = "down_revision" if parent in file.down_revisions else "depends_on"
    others = [id_ for id_ in chain.down[child] if id_ not in cycle]
    places = [revision_subject(chain.revisions[id_], root, at="down_revision").location for id_ in cycle]
    return Finding.of(
        CYCLE,
        revision_subject(file, root, at=variable),
        f"revision {child} names itself as its {variable}"
        if len(cycle) == 1
        else f"revisions come before themselves: {' needs '.join((*cycle, cycle[0]))}",
        remedy=f"take {parent!r} out of the {variable} of revision {child}"
        if variable == "depends_on" or others
        else f"correct the {variable} of revision {child}: it cannot come after {parent}",
        evidence={"cycle": list(cycle), "places": places},
    )


def _suspicion(chain: Chain, child: str, parent: str) -> int:
    file = chain.revisions[child]
    return 2 * file.is_merge + (parent not in file.down_revisions)


def find_multiple_heads(chain: Chain, heads: Sequence[str], root: Path) -> Finding:
    """``heads``: those of the chain, several."""
    files = [chain.revisions[head] for head in heads]
    shown = [f"{file.revision} ({show_path(file.path, root)})" for file in files]
    unlabelled = [head for head in heads if not _has_label_of_its_own(chain, head)]
    return Finding.of(
        MULTIPLE_HEADS,
        Subject(
            kind="revision",
            name=", ".join(heads),
            path=show_path(files[-1].path, root),
            line=files[-1].line_of("down_revision"),
        ),
        f"the chain has {len(heads)} heads: {', '.join(shown)}",
        severity=Severity.INFO if len(unlabelled) < 2 else None,
        why="they are labelled branches: 'upgrade head' is refused, 'heads' and 'label@head' work"
        if len(unlabelled) < 2
        else "",
        remedy=f"join them: alembic merge {' '.join(heads)}; or, if {heads[-1]} is applied nowhere yet, "
        f"set its branch's first down_revision to {heads[0]!r}",
        evidence={"heads": list(heads)},
    )


def _has_label_of_its_own(chain: Chain, head: str) -> bool:
    """Whether a label stands on the stretch from the last branch point up to the head."""
    id_: str | None = head
    while id_ is not None and len(chain.children[id_]) <= 1:
        if _is_labelled(chain.revisions[id_]):
            return True
        id_ = next(iter(chain.down[id_]), None)
    return False


def _multiple_bases(chain: Chain, part_of: Mapping[str, int], root: Path) -> Finding:
    bases = [chain.revisions[base] for base in chain.bases]
    newest = min(bases[:50], key=lambda file: len(reachable([file.revision], chain.children)))
    shown = [f"{file.revision} ({show_path(file.path, root)})" for file in bases]
    are_meant = sum(not _is_labelled(file) and not file.depends_on for file in bases) < 2
    are_joined = len({part_of[file.revision] for file in bases}) == 1
    other_heads = [head for head in chain.heads if part_of[head] != part_of[newest.revision]]
    return Finding.of(
        MULTIPLE_BASES,
        revision_subject(newest, root, at="down_revision"),
        f"{len(bases)} revisions have no down_revision: {', '.join(shown)}",
        severity=Severity.INFO if are_meant else Severity.WARNING if are_joined else None,
        why="they are the beginnings of labelled branches"
        if are_meant
        else "a later revision joins them, but in which order they run is left to chance"
        if are_joined
        else "",
        remedy=(
            f"set the down_revision of revision {newest.revision} to {other_heads[0]!r}"
            if len(other_heads) == 1
            else f"set the down_revision of revision {newest.revision} to the one that comes before it"
        )
        + "; or label it if it is meant to begin a branch of its own: branch_labels = ('name',)",
        evidence={"bases": list(chain.bases)},
    )


def _is_labelled(file: RevisionFile) -> bool:
    return file.branch_labels is None or bool(file.branch_labels)
