"""Kinds of objects beyond the case corpus: secrets, tablespaces, and what a role that is no superuser sees."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from govern.core.changes import diff
from govern.core.snapshot import Snapshot
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from tests.fixtures.databases import MakeDatabase, MakeRole
from tests.fixtures.server import wanted_major


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


@pytest.mark.parametrize("is_declared", [True, False])
def test_what_lies_in_another_tablespace_is_moved(
    server_url: DatabaseUrl,
    make_postgresql_database: MakeDatabase,
    pytestconfig: pytest.Config,
    is_declared: bool,
) -> None:
    here, there = make_postgresql_database("template0"), make_postgresql_database("template0")
    dialect, table = dialect_of(here), VersionTable()
    with tablespace(server_url, in_place=wanted_major(pytestconfig) >= 15) as name:
        for url, place in ((here, "pg_default"), (there, name)):
            run(
                url,
                f"CREATE TABLE t (id integer) TABLESPACE {place}; CREATE INDEX i ON t (id) TABLESPACE {place}",
            )
        declared, live = (there, here) if is_declared else (here, there)
        expected, _ = read(declared)
        proposal = dialect.propose_repair(live, live, declared, expected, table)
        run(live, ";".join(step.sql for step in proposal.steps))
        after, _ = read(live)
        for url in (here, there):
            run(url, "DROP TABLE t")
    assert after.objects == expected.objects
    assert proposal.hazards == ()
    assert not [step for step in proposal.steps if "CREATE" in step.sql]


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


def seen(declared: Snapshot, live: Snapshot) -> list[tuple[str, ...]]:
    return sorted(
        (change.rule_id.removeprefix("drift."), change.key.namespace, change.key.name)
        for change in diff(declared, live)
    )
