"""The chain as a value: a graph of revisions, whole or broken. No walk recurses: histories get long."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from govern.errors import ConfigurationError, NoSuchName
from govern.revisions.graph.files import BrokenFile, RevisionFile, read_revision_file
from govern.revisions.graph.remembered import remembering

if TYPE_CHECKING:
    from govern.config import Settings

_REVISION_FILE_NAME = re.compile(r"(?!\.#|__init__).*\.py")
"""What Alembic loads from a version location (``alembic/script/base.py``, ``_only_source_rev_file``)."""
_MANY_FILES = 100
"""Fewer are read in no time: not worth a file of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All revisions of the version locations, as ``read_chain`` or ``build_chain`` make it.

    Neither raises for what is wrong with the graph: that is for ``govern.checks.chain`` to say.
    """

    files: tuple[RevisionFile, ...]
    """By location, then name: the order in which Alembic loads them. Duplicates of an id are all here."""
    broken: tuple[BrokenFile, ...]
    locations: tuple[Path, ...]
    revisions: Mapping[str, RevisionFile]
    """By id; of duplicates the first."""
    labels: Mapping[str, str]
    """The revision that declares each branch label."""
    down: Mapping[str, tuple[str, ...]]
    """The ``down_revision`` of each id that exist."""
    children: Mapping[str, tuple[str, ...]]
    """``down``, the other way round."""
    parents: Mapping[str, tuple[str, ...]]
    """What must be applied before each id: ``down``, and ``depends_on`` with labels resolved."""
    heads: tuple[str, ...]
    """Revisions that no ``down_revision`` names, as ``alembic heads`` has them."""
    effective_heads: tuple[str, ...]
    """Heads that no ``depends_on`` names either: the version rows after ``upgrade heads``."""
    bases: tuple[str, ...]
    """Revisions without a ``down_revision``."""
    position: Mapping[str, int]
    """The place of each id in the apply order, from 0; within a cycle it means nothing."""

    def ancestors(self, revisions: Iterable[str]) -> frozenset[str]:
        """All that is applied once ``revisions`` are, themselves included; unknown ids are left out."""
        return reachable((id_ for id_ in revisions if id_ in self.revisions), self.parents)

    def resolve(self, target: str) -> tuple[str, ...]:
        """The ids a target stands for: ``heads``, ``head``, ``base``, an id, an unambiguous beginning of one,
        a branch label, or ``label@head``.

        Raises ConfigurationError, which names the candidates.
        """
        return _resolve(self, target)

    def pending(self, from_revisions: Iterable[str], to: str = "heads") -> tuple[RevisionFile, ...]:
        """What ``upgrade`` to ``to`` applies to a database stamped with ``from_revisions``, in apply order.

        Raises ConfigurationError for a target or stamped revision that is not in the chain.
        """
        stamped = [_require(self, id_) for id_ in from_revisions]
        todo = self.ancestors(self.resolve(to)) - self.ancestors(stamped)
        return tuple(self.revisions[id_] for id_ in sorted(todo, key=self.position.__getitem__))

    def heads_after(self, stamped: Iterable[str], applied: Iterable[RevisionFile]) -> tuple[str, ...]:
        """The version rows of a database stamped with ``stamped`` once ``applied`` have run on it, sorted."""
        applied = tuple(applied)
        replaced = {parent for file in applied for parent in self.parents[file.revision]}
        return tuple(sorted({*stamped, *(file.revision for file in applied)} - replaced))


def read_chain(
    version_locations: tuple[Path, ...], *, recursive: bool = False, memory: Path | None = None
) -> Chain:
    """Reads every revision file of the locations; one that does not exist holds none.

    ``recursive`` is Alembic's ``recursive_version_locations``. ``memory``: a folder in which what many files said
    is remembered.
    """
    paths = tuple(_revision_paths(version_locations, recursive))
    if memory is None or len(paths) < _MANY_FILES:
        read = [read_revision_file(path) for path in paths]
    else:
        with remembering(memory) as parse:
            read = [read_revision_file(path, parse) for path in paths]
    return build_chain(
        (file for file in read if isinstance(file, RevisionFile)),
        broken=(file for file in read if isinstance(file, BrokenFile)),
        locations=version_locations,
    )


def read_project_chain(settings: Settings) -> Chain:
    """The chain of the version locations that Alembic's configuration names, remembered from run to run."""
    alembic = settings.alembic
    return read_chain(
        alembic.version_locations,
        recursive=alembic.recursive_version_locations,
        memory=settings.cache_folder,
    )


def build_chain(
    files: Iterable[RevisionFile], *, broken: Iterable[BrokenFile] = (), locations: tuple[Path, ...] = ()
) -> Chain:
    """The graph of files that were read already."""
    files = tuple(files)
    revisions: dict[str, RevisionFile] = {}
    labels: dict[str, str] = {}
    for file in files:
        revisions.setdefault(file.revision, file)
        for label in file.branch_labels or ():
            labels.setdefault(label, file.revision)
    down = _edges(files, revisions, lambda file: file.down_revisions)
    parents = _edges(
        files,
        revisions,
        lambda file: (*file.down_revisions, *(labels.get(name, name) for name in file.depends_on)),
    )
    named, needed = _all_targets(down), _all_targets(parents)
    heads = tuple(id_ for id_ in revisions if id_ not in named)
    return Chain(
        files=files,
        broken=tuple(broken),
        locations=locations,
        revisions=revisions,
        labels=labels,
        down=down,
        children=_invert(down),
        parents=parents,
        heads=heads,
        effective_heads=tuple(id_ for id_ in heads if id_ not in needed),
        bases=tuple(dict.fromkeys(file.revision for file in files if not file.down_revisions)),
        position={id_: place for place, id_ in enumerate(_apply_order(revisions, parents, heads))},
    )


def reachable(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Everything one gets to from ``start`` along ``edges``, ``start`` included."""
    waiting = list(start)
    seen = set(waiting)
    while waiting:
        for next_ in edges.get(waiting.pop(), ()):
            if next_ not in seen:
                seen.add(next_)
                waiting.append(next_)
    return frozenset(seen)


def is_revision_name(name: str) -> bool:
    """Whether Alembic loads a file of this name from a version location."""
    return _REVISION_FILE_NAME.fullmatch(name) is not None


def _invert(edges: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    children: dict[str, list[str]] = {id_: [] for id_ in edges}
    for id_, parents in edges.items():
        for parent in parents:
            children[parent].append(id_)
    return {id_: tuple(found) for id_, found in children.items()}


def _revision_paths(locations: tuple[Path, ...], recursive: bool) -> Iterator[Path]:
    seen: set[str] = set()
    resolve_folder = functools.cache(os.path.realpath)
    for location in locations:
        for entry in _list_files(location, recursive):
            # locations may overlap or be linked; Alembic ignores the second, too
            folder = resolve_folder(entry.path.removesuffix(entry.name))
            real = os.path.realpath(entry) if entry.is_symlink() else f"{folder}/{entry.name}"
            if real not in seen:
                seen.add(real)
                yield Path(entry)


def _list_files(folder: str | Path, recursive: bool) -> Iterator[os.DirEntry[str]]:
    """Those of the folder, then those of each folder below; without asking the file system about every file."""
    try:
        entries = sorted(os.scandir(folder), key=attrgetter("name"))
    except OSError:
        return
    yield from (entry for entry in entries if is_revision_name(entry.name) and entry.is_file())
    if recursive:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _list_files(entry.path, recursive)


def _edges(
    files: tuple[RevisionFile, ...],
    revisions: Mapping[str, RevisionFile],
    parents_of: Callable[[RevisionFile], Iterable[str]],
) -> dict[str, tuple[str, ...]]:
    """Edges to revisions that exist; those of duplicates are put together."""
    edges: dict[str, dict[str, None]] = {id_: {} for id_ in revisions}
    for file in files:
        edges[file.revision].update((id_, None) for id_ in parents_of(file) if id_ in revisions)
    return {id_: tuple(parents) for id_, parents in edges.items()}


def _all_targets(edges: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(parent for parents in edges.values() for parent in parents)


def _apply_order(
    revisions: Iterable[str], parents: Mapping[str, tuple[str, ...]], heads: tuple[str, ...]
) -> Iterator[str]:
    """Parents before children, branch by branch.

    The later head's branch and a merge's later parent come first, as Alembic has it for all but nested branches.
    """
    visited: set[str] = set()
    for start in (*reversed(heads), *revisions):
        if start in visited:
            continue
        visited.add(start)
        path = [(start, reversed(parents[start]))]
        while path:
            id_, remaining = path[-1]
            parent = next((parent for parent in remaining if parent not in visited), None)
            if parent is None:
                path.pop()
                yield id_
            else:
                visited.add(parent)
                path.append((parent, reversed(parents[parent])))


def _require(chain: Chain, stamped: str) -> str:
    if stamped in chain.revisions:
        return stamped
    raise ConfigurationError(
        f"the database is stamped with {stamped!r}, which is no revision of this project",
        why="it was migrated by code that has more revisions than this, or by another project",
        next="deploy the code that has it, or bring its file back from version control",
    )


def _resolve(chain: Chain, target: str) -> tuple[str, ...]:
    branch, at, symbol = target.rpartition("@")
    if not at:
        if symbol == "heads":
            return chain.effective_heads
        return _resolve_symbol(chain, target, symbol, chain.heads)
    start = _resolve_id(chain, branch)
    lineage = reachable([start], chain.children) | reachable([start], chain.down)
    heads = tuple(head for head in chain.heads if head in lineage)
    found = heads if symbol == "heads" else _resolve_symbol(chain, target, symbol, heads)
    if not lineage.issuperset(found):
        raise ConfigurationError(
            f"revision {found[0]} is not on the branch {branch!r}", next=_name_candidates(heads)
        )
    return found


def _resolve_symbol(chain: Chain, target: str, symbol: str, heads: tuple[str, ...]) -> tuple[str, ...]:
    if symbol == "base":
        return ()
    if symbol != "head":
        return (_resolve_id(chain, symbol),)
    if len(heads) > 1:
        raise ConfigurationError(
            f"{target!r} can mean {len(heads)} revisions",
            why=f"there are several heads: {', '.join(heads)}",
            next="name one of them, say 'heads' for all, or join them: alembic merge heads",
        )
    return heads


def _resolve_id(chain: Chain, id_: str) -> str:
    if id_ in chain.revisions:
        return id_
    if id_ in chain.labels:
        return chain.labels[id_]
    beginning_so = [revision for revision in chain.revisions if id_ and revision.startswith(id_)]
    if len(beginning_so) == 1:
        return beginning_so[0]
    if beginning_so:
        raise ConfigurationError(
            f"{id_!r} is the beginning of {len(beginning_so)} revisions",
            why=f"they are {_shorten(beginning_so)}",
            next="give more of the id",
        )
    raise NoSuchName(
        f"there is no revision {id_!r}",
        wanted=id_,
        known=(*chain.revisions, *chain.labels, "heads", "head", "base"),
        why=f"none of the {len(chain.revisions)} revisions in "
        f"{', '.join(str(location) for location in chain.locations) or 'the chain'} has this id or label",
        next=_name_candidates(chain.heads),
    )


def _name_candidates(heads: tuple[str, ...]) -> str:
    return f"name a revision, or a head: {_shorten(heads)}" if heads else "write the first revision"


def _shorten(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
