"""Every single change of the corpus is seen, in both directions, and moves fingerprint and watermark."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from govern.checks.drift import KINDS
from govern.core.changes import diff
from govern.core.snapshot import Snapshot
from govern.database.dialect import VersionTable
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from tests.fixtures.databases import MakeDatabase, MakeRole
from tests.fixtures.server import wanted_major

FOLDER = Path(__file__).parents[1] / "cases" / "drift"
CASES = sorted(path.parent for path in FOLDER.glob("*/*/expected.json"))
OPPOSITE = {"added": "removed", "removed": "added", "changed": "changed"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The cases that a server of the run's major version can be told."""
    if "case" in metafunc.fixturenames:
        major = wanted_major(metafunc.config)
        cases = [case for case in CASES if expectation(case).get("min_major", 0) <= major]
        metafunc.parametrize("case", cases, ids=[f"{case.parent.name}/{case.name}" for case in cases])


def test_one_change_is_seen_both_ways(make_postgresql_database: MakeDatabase, case: Path) -> None:
    database = make_postgresql_database("template0")
    a, b = (case / "a.sql").read_text(encoding="utf-8"), (case / "b.sql").read_text(encoding="utf-8")
    run(database, a)
    first, fingerprint = read(database)
    watermark = read_watermark(database)
    if b.startswith(a):
        run(database, b.removeprefix(a))
        second, moved = read(database)
        assert fingerprint != moved
        assert not is_untouched(database, watermark)
    else:
        other = make_postgresql_database("template0")
        run(other, b)
        second, _ = read(other)
    changes = [tuple(change) for change in expectation(case)["changes"]]
    assert seen(first, second) == sorted(changes)
    assert seen(second, first) == sorted(turned(change) for change in changes)
    assert first.unmodelled == second.unmodelled == ()


def test_every_kind_of_a_case_has_rules() -> None:
    kinds = {rule.rpartition("-")[0] for case in CASES for rule, *_ in expectation(case)["changes"]}
    assert kinds <= KINDS.keys()


def test_secrets_of_foreign_data_are_never_read(postgresql_database: DatabaseUrl) -> None:
    run(postgresql_database, FOREIGN_SECRETS)
    snapshot, _ = read(postgresql_database)
    assert "hush" not in repr(snapshot)
    facts = {key.kind: facts for key, facts in snapshot.objects.items()}
    assert facts["user-mapping"]["options"] == ("password '***'", "\"user\" 'bob'")
    assert facts["foreign-server"]["options"] == (
        "api_key '***'",
        "dsn '***'",
        "host 'example.com'",
        "url '***'",
    )


FOREIGN_SECRETS = """
CREATE FOREIGN DATA WRAPPER files OPTIONS (token 'hush');
CREATE SERVER disk FOREIGN DATA WRAPPER files
  OPTIONS (api_key 'hush', url 'https://bob:hush@example.com/', dsn 'dbname=a password=hush', host 'example.com');
CREATE USER MAPPING FOR PUBLIC SERVER disk OPTIONS ("user" 'bob', password 'hush');
CREATE FOREIGN TABLE lines (a integer) SERVER disk OPTIONS (secret_word 'hush');
"""


def test_another_tablespace_is_storage(
    server_url: DatabaseUrl, postgresql_database: DatabaseUrl, pytestconfig: pytest.Config
) -> None:
    run(postgresql_database, "CREATE TABLE t (id integer PRIMARY KEY); CREATE INDEX i ON t (id)")
    before, fingerprint = read(postgresql_database)
    with tablespace(server_url, in_place=wanted_major(pytestconfig) >= 15) as name:
        run(postgresql_database, f"ALTER TABLE t SET TABLESPACE {name}; ALTER INDEX i SET TABLESPACE {name}")
        after, moved = read(postgresql_database)
        run(postgresql_database, "DROP TABLE t")
    assert seen(before, after) == [
        ("storage-added", "public", "index t.i"),
        ("storage-added", "public", "table t"),
    ]
    assert fingerprint != moved
    assert "storage-added" not in {rule for rule, *_ in seen(replace(before, objects={}), after)}


def test_a_role_that_is_no_superuser_reads_every_kind(
    postgresql_database: DatabaseUrl, make_role: MakeRole
) -> None:
    run(postgresql_database, FOREIGN_SECRETS + CASTS)
    role = make_role("reader", "s3cret")
    reader = role.with_database(postgresql_database.database)
    everything, _ = read(postgresql_database)
    seen_by_reader, _ = read(reader)
    differing = {change.key.kind for change in diff(everything, seen_by_reader)}
    assert differing <= {"user-mapping"}  # whose options are its own business


CASTS = "CREATE CAST (text AS integer) WITH INOUT; CREATE OPERATOR public.!! (RIGHTARG = integer, FUNCTION = int4abs)"


def expectation(case: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    return expected


@contextmanager
def tablespace(server: DatabaseUrl, *, in_place: bool) -> Iterator[str]:
    """A tablespace in the server's own folder; before PostgreSQL 15 in a new one that the server made itself."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        if in_place:
            connection.execute("SET allow_in_place_tablespaces = on")
            location = ""
        else:
            (data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
            location = f"{data}_{name}"
            connection.execute(f"COPY (SELECT 1) TO PROGRAM 'mkdir {location}'".encode())
        connection.execute(f"CREATE TABLESPACE {name} LOCATION '{location}'".encode())
        yield name
        connection.execute(f"DROP TABLESPACE {name}".encode())


def run(url: DatabaseUrl, sql: str) -> None:
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        connection.execute(sql.encode())


def read(url: DatabaseUrl) -> tuple[Snapshot, str]:
    dialect, table = dialect_of(url), VersionTable()
    with dialect.connect(url, read_only=True) as connection:
        return dialect.read_snapshot(connection, table), dialect.read_fingerprint(connection, table)


def read_watermark(url: DatabaseUrl) -> str:
    with dialect_of(url).connect(url, read_only=True) as connection:
        return dialect_of(url).read_watermark(connection, VersionTable()) or ""


def is_untouched(url: DatabaseUrl, watermark: str) -> bool:
    with dialect_of(url).connect(url, read_only=True) as connection:
        return dialect_of(url).is_untouched(connection, VersionTable(), watermark)


def seen(declared: Snapshot, live: Snapshot) -> list[tuple[str, ...]]:
    return sorted(
        (change.rule_id.removeprefix("drift."), change.key.namespace, change.key.name)
        for change in diff(declared, live)
    )


def turned(change: tuple[str, ...]) -> tuple[str, ...]:
    kind, _, action = change[0].rpartition("-")
    return (f"{kind}-{OPPOSITE[action]}", *change[1:])
