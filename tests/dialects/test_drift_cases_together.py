"""Several changes of the case corpus at once in one database, drawn by a seed and undone in both directions.

Where one case adds something, another takes something away. Cases that begin with the same statement and add to
their schema share a namespace, and so their tables; every other case has one of its own.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from govern.core.changes import describe_change, diff
from govern.database.connection import Connection
from govern.database.postgresql import catalog
from govern.database.postgresql.repair.seeds import find_tables, seed_rows
from govern.database.postgresql.repair.trial import try_repair
from govern.database.postgresql.repair.wanted import Side, read_side
from tests.dialects.test_drift_cases import (
    CASES,
    TABLE,
    Undo,
    connections,
    count_rows,
    extensions,
    has_extension,
    is_known,
    read_expectation,
)
from tests.fixtures.server import wanted_major

__all__ = ["connections", "extensions"]

SEEDS = range(30)
_PUBLIC = re.compile(r"\bpublic\.")
_END_OF_STATEMENT = re.compile(r"(?<=;)\n")


@dataclass(frozen=True)
class Part:
    """What is expected of a case, and the namespace it stands in."""

    expected: Mapping[str, Any]
    namespace: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    """The whole of the changed schema."""
    is_turned: bool
    """Whether the first database has the changed one, and the second the other."""

    def is_manual(self, direction: str) -> bool:
        own = {"repair": "repair_back", "repair_back": "repair"}[direction] if self.is_turned else direction
        return bool(self.expected.get(own, self.expected["repair"]) == "manual")

    def changes(self) -> set[tuple[str, str]]:
        """(namespace, name) of what is reported."""
        return {
            (self.namespace if namespace == "public" else namespace, name)
            for _, namespace, name in self.expected["changes"]
        }


@pytest.mark.parametrize("seed", SEEDS)
def test_changes_are_undone_together(
    seed: int,
    connections: tuple[Connection, Connection],
    extensions: frozenset[str],
    pytestconfig: pytest.Config,
) -> None:
    major = wanted_major(pytestconfig)
    cases = [case for case in CASES if is_known(case, major) and has_extension(case, extensions)]
    with stand_up(draw(seed, cases, major), connections) as parts:
        assert len(parts) > 1
        a, b = (read_side(connection, TABLE) for connection in connections)
        check(parts, "repair", a, b, connections[1])
        check(parts, "repair_back", b, a, connections[0])


def check(parts: Sequence[Part], direction: str, declared: Side, live: Side, connection: Connection) -> None:
    """All is proven but for what is manual by itself; rows stay but for those of a table that is named."""
    changes = diff(declared.snapshot, live.snapshot)
    manual = set().union(*(part.changes() for part in parts if part.is_manual(direction)))
    trial = try_repair(connection, declared, live, TABLE)
    assert trial is not None
    script = ";\n".join(step.sql for step in trial.steps)
    left = [change for change in trial.remaining if (change.key.namespace, change.key.name) not in manual]
    assert not left, ([describe_change(change) for change in left], script)
    if trial.remaining:
        return
    for change in changes:
        assert any(change.key in step.undoes for step in trial.steps), f"nothing is there for {change.key}"
    rows = count_rows(connection)
    for step in trial.steps:
        connection.execute(step.sql)
    assert catalog.read_snapshot(connection, TABLE).objects == declared.snapshot.objects, script
    named = {hazard.subject for hazard in trial.losses if hazard.name == "drops-table"}
    allowed = sum(count for table, count in rows.items() if table.removeprefix("public.") in named)
    assert sum(count_rows(connection).values()) == sum(rows.values()) - allowed, script


def draw(seed: int, cases: Sequence[Path], major: int) -> tuple[Part, ...]:
    """Three to six cases of distinct kinds; of every other seed such as share their first statement."""
    chance = random.Random(seed)
    if seed % 2:
        families = [family for family in _families(cases) if len(_kinds(family)) > 2]
        (cases,) = chance.choices(families, weights=[len(family) for family in families])
    kinds = _kinds(cases)
    chosen = (
        chance.choice([case for case in cases if case.parent.name == kind])
        for kind in chance.sample(kinds, min(len(kinds), chance.randint(3, 6)))
    )
    return tuple(
        _make_part(case, number, major, is_turned=chance.random() < 0.5)
        for number, case in enumerate(list(chosen))
    )


def _families(cases: Sequence[Path]) -> list[list[Path]]:
    families: dict[str, list[Path]] = {}
    for case in cases:
        if name := _shared_name(case):
            families.setdefault(name, []).append(case)
    return list(families.values())


def _kinds(cases: Sequence[Path]) -> list[str]:
    return sorted({case.parent.name for case in cases})


def _make_part(case: Path, number: int, major: int, *, is_turned: bool) -> Part:
    namespace = _shared_name(case) or f"part_{number}"
    before, after = (_read_statements(case, side, namespace) for side in "ab")
    return Part(read_expectation(case, major), namespace, before, after, is_turned)


def _read_statements(case: Path, side: str, namespace: str) -> tuple[str, ...]:
    text = _PUBLIC.sub(f"{namespace}.", (case / f"{side}.sql").read_text(encoding="utf-8"))
    return tuple(filter(None, map(str.strip, _END_OF_STATEMENT.split(text))))


def _shared_name(case: Path) -> str:
    """The namespace of the cases that begin alike, called after their first relation; nothing for a case alone."""
    before, after = (_read_statements(case, side, "shared") for side in "ab")
    if not before or after[: len(before)] != before:
        return ""
    return re.sub(r"\W+", "_", before[0]).lower()[:40]


@contextmanager
def stand_up(parts: Sequence[Part], connections: tuple[Connection, Connection]) -> Iterator[list[Part]]:
    """Both schemas with a row in each table, and the parts that went together, until the end of the block."""
    a, b = connections
    with suppress(Undo), a.transaction(), b.transaction():
        done: set[tuple[str, str]] = set()
        standing = []
        for part in parts:
            before, after = (
                [text for text in statements if (part.namespace, text) not in done]
                for statements in (part.before, part.after)
            )
            if _run(part.namespace, {a: after, b: before} if part.is_turned else {a: before, b: after}):
                standing.append(part)
                done |= {(part.namespace, text) for text in before}
        for connection in connections:
            connection.execute("SET LOCAL search_path = DEFAULT")
            seed_rows(connection, find_tables(connection))
        yield standing
        raise Undo


def _run(namespace: str, scripts: Mapping[Connection, Sequence[str]]) -> bool:
    """False where another part has the same name for something else; then nothing is changed."""
    name = sql.Identifier(namespace)
    for connection in scripts:
        connection.execute("SAVEPOINT part")
    try:
        for connection, statements in scripts.items():
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
            connection.execute(sql.SQL("SET LOCAL search_path = {}").format(name))
            for statement in statements:
                connection.execute(statement)
    except psycopg.Error:
        for connection in scripts:
            connection.execute("ROLLBACK TO SAVEPOINT part")
        return False
    return True
