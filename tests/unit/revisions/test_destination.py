"""Which revisions a downgrade takes back, and where the database is then, as Alembic has it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from alembic.runtime.migration import HeadMaintainer, MigrationContext, RevisionStep
from alembic.script.revision import RangeNotAncestorError, Revision, RevisionMap

from govern.errors import ConfigurationError, GovernError, Refused
from govern.revisions.graph import Chain, RevisionFile, build_chain
from govern.revisions.graph.destination import Destination, Way


def revision(
    id_: str, *down: str, depends_on: tuple[str, ...] = (), labels: tuple[str, ...] = ()
) -> RevisionFile:
    return RevisionFile(
        path=Path(f"{id_}.py"), revision=id_, down_revisions=down, depends_on=depends_on, branch_labels=labels
    )


LINE = build_chain([revision("a1"), revision("b2", "a1"), revision("c3", "b2")])
BRANCHED = build_chain(
    [
        revision("a1"),
        revision("b1", "a1", labels=("left",)),
        revision("b2", "a1", labels=("right",)),
        revision("m1", "b1", "b2"),
        revision("m2", "m1"),
    ]
)


def go_down(chain: Chain, target: str, *stamped: str) -> Way:
    return Destination(target=target, direction="downgrade").find_way(chain, stamped)


def ids_of(way: Way) -> list[str]:
    return [file.revision for file in way.revisions]


@pytest.mark.parametrize(
    ("target", "taken_back", "reached", "told"),
    [
        ("-1", ["c3"], ("b2",), "b2"),
        ("-3", ["c3", "b2", "a1"], (), "base"),
        ("base", ["c3", "b2", "a1"], (), "base"),
        ("a", ["c3", "b2"], ("a1",), "a1"),
        ("c3", [], ("c3",), "c3"),
    ],
)
def test_a_way_down_a_line(target: str, taken_back: list[str], reached: tuple[str, ...], told: str) -> None:
    way = go_down(LINE, target, "c3")
    assert (ids_of(way), way.reached, way.target) == (taken_back, reached, told)


def test_a_merge_is_taken_back_to_the_heads_it_joined_and_a_branch_without_the_other() -> None:
    assert go_down(BRANCHED, "-1", "m2").reached == ("m1",)
    merge = go_down(BRANCHED, "b1", "m2")
    assert (ids_of(merge), merge.reached) == (["m2", "m1"], ("b1", "b2"))
    left = go_down(BRANCHED, "left@-1", "b1", "b2")
    assert (ids_of(left), left.reached, left.target) == (["b1"], ("b2",), "left@a1")


@pytest.mark.parametrize(
    ("target", "stamped", "kind", "words"),
    [
        ("-2", ("m2",), ConfigurationError, "can mean one of 2 ways"),
        ("-1", ("b1", "b2"), ConfigurationError, "can mean one of 2 ways"),
        ("-4", ("b1",), Refused, "no revision -4 steps back"),
        ("m2", ("b1",), Refused, "not past revision m2"),
        ("b", ("m2",), ConfigurationError, "beginning of 2 revisions"),
        ("zz", ("m2",), ConfigurationError, "there is no revision 'zz'"),
        ("base", ("zz",), ConfigurationError, "no revision of this project"),
    ],
)
def test_what_is_ambiguous_or_not_there_is_refused(
    target: str, stamped: tuple[str, ...], kind: type[GovernError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        go_down(BRANCHED, target, *stamped)


def test_any_way_down_is_alembics() -> None:
    """Over random histories: the revisions, and the version rows that they leave."""
    randomly = random.Random(11)
    same = all_ways = 0
    for _ in range(300):
        chain = build_chain(random_history(randomly))
        known = RevisionMap(lambda chain=chain: [as_alembic(file) for file in chain.files])  # type: ignore[misc]
        for target in ("base", *chain.revisions):
            try:
                steps = list(
                    known.iterate_revisions(chain.effective_heads, target, select_for_downgrade=True)
                )
            except RangeNotAncestorError:
                with pytest.raises(Refused):
                    go_down(chain, target, *chain.effective_heads)
                continue
            way = go_down(chain, target, *chain.effective_heads)
            assert set(ids_of(way)) == {step.revision for step in steps if step}
            rows = rows_after(known, chain.effective_heads, steps)
            assert chain.ancestors(way.reached) == chain.ancestors(rows)
            same += way.reached == rows
            all_ways += 1
    assert same / all_ways > 0.98, "now and then Alembic keeps a row that another one implies"


def rows_after(known: RevisionMap, heads: tuple[str, ...], steps: list[Revision]) -> tuple[str, ...]:
    """The version rows as Alembic keeps them."""
    maintainer = HeadMaintainer(
        MigrationContext.configure(dialect_name="sqlite", opts={"as_sql": True}), heads
    )
    maintainer.context.impl.static_output = lambda text: None  # type: ignore[method-assign]
    for step in steps:
        maintainer.update_to_step(_Step(known, step))
    return tuple(sorted(maintainer.heads))


class _Step(RevisionStep):
    """A way down that has no file to run."""

    def __init__(self, known: RevisionMap, step: Revision) -> None:
        self.revision_map, self.revision, self.is_upgrade = known, step, False  # type: ignore[assignment]


def random_history(randomly: random.Random) -> list[RevisionFile]:
    """A few revisions, each after one or two of those before it, some of them needing another one."""
    files: list[RevisionFile] = []
    for place, id_ in enumerate("abcdefg"[: randomly.randint(1, 7)]):
        before = [file.revision for file in files]
        parents = tuple(randomly.sample(before, min(place, randomly.choice((0, 1, 1, 1, 2)))))
        files.append(revision(id_, *parents))
        rest = sorted(set(before) - build_chain(files).ancestors(id_))
        if rest and randomly.random() < 0.2:
            files[-1] = revision(id_, *parents, depends_on=(randomly.choice(rest),))
    return files


def as_alembic(file: RevisionFile) -> Revision:
    return Revision(file.revision, file.down_revisions or None, dependencies=file.depends_on or None)
