"""The case corpus: one change of a schema a case, reported exactly and undone, in both directions.

``tests/cases/drift/<kind>/<case>`` holds ``a.sql`` and ``b.sql``, the whole of two schemas, and ``expected.json``:

* ``changes``: what is reported where a is declared and b is live, as [kind-action, namespace, name];
* ``repair``: ``proven``, or ``manual`` where no statement can do it; ``repair_back`` where the other direction differs;
* ``hazards``, ``hazards_back``: what the repair loses, as ``repair apply --allow`` names it;
* ``min_major``: the first PostgreSQL that has the feature;
* ``proven_from``: the first PostgreSQL that has a statement for the repair, which is manual before;
* ``extension``: what the server has to have at hand: one brings vector, another the contributed ones such as hstore.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from govern.checks.drift import KINDS
from govern.core.changes import Change, describe_change, diff
from govern.database.connection import Connection
from govern.database.postgresql import catalog, server
from govern.database.postgresql.fingerprint import read_fingerprint
from govern.database.postgresql.repair.seeds import find_tables, seed_rows
from govern.database.postgresql.repair.trial import try_repair
from govern.database.postgresql.repair.wanted import Side, read_side
from govern.database.postgresql.watermark import is_untouched, read_watermark
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from tests.fixtures.planned import plan_once
from tests.fixtures.server import wanted_major

FOLDER = Path(__file__).parent.parent / "cases" / "drift"
CASES = sorted(file.parent for file in FOLDER.glob("*/*/expected.json"))
TABLE = VersionTable()
OPPOSITE = {"added": "removed", "removed": "added", "changed": "changed"}


@dataclass(frozen=True)
class State:
    """A schema that stands in a database of its own."""

    connection: Connection
    side: Side
    fingerprint: str


@pytest.fixture(scope="module")
def connections(server_url: DatabaseUrl) -> Iterator[tuple[Connection, Connection]]:
    """Two empty databases, used by one case after another: what a case does is rolled back."""
    urls = [server_url.with_database(f"test_{secrets.token_hex(6)}") for _ in range(2)]
    with ExitStack() as stack:
        for url in urls:
            server.create_database(url)
            stack.callback(server.drop_database, url)
        a, b = (stack.enter_context(server.connect(url)) for url in urls)
        for connection in (a, b):
            plan_once(connection.driver)  # type: ignore[arg-type]  # the catalog is read thousands of times
        yield a, b


@pytest.fixture(scope="module")
def extensions(connections: tuple[Connection, Connection]) -> frozenset[str]:
    """Those that the server can create."""
    return frozenset(
        name for (name,) in connections[0].rows("SELECT name FROM pg_catalog.pg_available_extensions")
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The cases that a server of the run's major version can be told."""
    if "case" in metafunc.fixturenames:
        major = wanted_major(metafunc.config)
        cases = [case for case in CASES if is_known(case, major)]
        metafunc.parametrize("case", cases, ids=[f"{case.parent.name}/{case.name}" for case in cases])


def test_one_change_is_reported_and_undone_in_both_directions(
    case: Path,
    connections: tuple[Connection, Connection],
    extensions: frozenset[str],
    pytestconfig: pytest.Config,
) -> None:
    expected = read_expectation(case, wanted_major(pytestconfig))
    if not has_extension(case, extensions):
        pytest.skip(f"the server has no extension {expected['extension']}")
    there = [(rule, namespace, name) for rule, namespace, name in expected["changes"]]
    back = [(_opposite(rule), namespace, name) for rule, namespace, name in there]
    repair = expected["repair"]
    with (
        stand_up(case / "a.sql", connections[0]) as a,
        stand_up(case / "b.sql", connections[1], after=case / "a.sql") as b,
    ):
        assert a.fingerprint != b.fingerprint
        assert a.side.snapshot.unmodelled == b.side.snapshot.unmodelled == ()
        check(a.side, b, there, repair, expected.get("hazards", []))
        check(b.side, a, back, expected.get("repair_back", repair), expected.get("hazards_back", []))


def test_some_case_of_an_extension_runs(extensions: frozenset[str]) -> None:
    assert any(has_extension(case, extensions) for case in CASES if case.parent.name == "extension")


def test_every_kind_of_a_case_has_rules() -> None:
    kinds = {rule.rpartition("-")[0] for case in CASES for rule, *_ in _read(case)["changes"]}
    assert kinds <= KINDS.keys()


def is_known(case: Path, major: int) -> bool:
    """Whether a server of a major version has the feature."""
    return bool(_read(case).get("min_major", 0) <= major)


def has_extension(case: Path, extensions: frozenset[str]) -> bool:
    """Whether the server has what the case creates."""
    return _read(case).get("extension") in {None, *extensions}


def read_expectation(case: Path, major: int) -> dict[str, Any]:
    """What is expected on a major version."""
    expected = _read(case)
    return expected if expected.get("proven_from", 0) <= major else {**expected, "repair": "manual"}


def _read(case: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    return expected


def check(
    declared: Side, live: State, expected: list[tuple[str, str, str]], repair: str, hazards: list[str]
) -> None:
    """Holds one direction against what is expected of it, and repairs the live side."""
    changes = diff(declared.snapshot, live.side.snapshot)
    assert sorted(map(_brief, changes)) == sorted(expected)

    trial = try_repair(live.connection, declared, live.side, TABLE)
    assert trial is not None
    script = ";\n".join(step.sql for step in trial.steps)
    remaining = [describe_change(change) for change in trial.remaining]
    assert (repair == "manual") == bool(remaining), (remaining, script)
    if repair == "manual":
        return
    assert [str(hazard) for hazard in trial.losses] == hazards, script
    for change in changes:
        assert any(change.key in step.undoes for step in trial.steps), f"nothing is there for {change.key}"

    rows = count_rows(live.connection)
    for step in trial.steps:
        live.connection.execute(step.sql)
    assert catalog.read_snapshot(live.connection, TABLE).objects == declared.snapshot.objects, script
    named = {hazard.subject for hazard in trial.losses if hazard.name == "drops-table"}
    allowed = sum(count for table, count in rows.items() if table.removeprefix("public.") in named)
    assert sum(count_rows(live.connection).values()) == sum(rows.values()) - allowed, script


def count_rows(connection: Connection) -> dict[str, int]:
    """Of each table by itself, without those that inherit from it."""
    return {
        ".".join(names): connection.value(
            sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(*names))
        )
        for names in find_tables(connection)
    }


class Undo(Exception):
    """Rolls back."""


@contextmanager
def stand_up(file: Path, connection: Connection, after: Path | None = None) -> Iterator[State]:
    """The schema of a file, and a row in each of its tables that takes one, until the end of the block.

    Where it goes on from the schema of ``after``, what comes then must move the watermark.
    """
    with suppress(Undo), connection.transaction():
        script, first = (one.read_text(encoding="utf-8") if one else "" for one in (file, after))
        if first and script.startswith(first):
            connection.execute(first)
            watermark = read_watermark(connection, TABLE)
            connection.execute("SAVEPOINT change")  # what is written from here on has another number
            connection.execute(script.removeprefix(first))
            assert not is_untouched(connection, TABLE, watermark)
        else:
            connection.execute(script)
        seed_rows(connection, find_tables(connection))
        yield State(connection, read_side(connection, TABLE), read_fingerprint(connection, TABLE))
        raise Undo


def _brief(change: Change) -> tuple[str, str, str]:
    return f"{change.key.kind}-{change.action}", change.key.namespace, change.key.name


def _opposite(rule: str) -> str:
    kind, _, action = rule.rpartition("-")
    return f"{kind}-{OPPOSITE[action]}"
