"""Sequences, duplicates, checks that were never made and damaged files: found where they are, and nowhere else."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from govern.core.rows import BrokenCheck, Damage, Duplicates, NotLookedAt, SequencePosition, Unique
from govern.core.snapshot import default_namespace
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from tests.acceptance.program import execute
from tests.fixtures.databases import MakeRole, with_credentials


def find_duplicates(
    url: DatabaseUrl, *uniques: Unique, seconds: float = 60
) -> tuple[Duplicates | NotLookedAt, ...]:
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        return tuple(dialect.find_duplicates(connection, uniques, examples=3, seconds=seconds))


def read_positions(url: DatabaseUrl) -> dict[str, SequencePosition | NotLookedAt]:
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        return {
            ".".join(one.sequence) if isinstance(one, SequencePosition) else one.what: one
            for one in dialect.read_sequence_positions(connection)
        }


def find_damage(url: DatabaseUrl) -> tuple[Damage | NotLookedAt, ...]:
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        return tuple(dialect.find_damage(connection, seconds=60))


def test_a_value_that_is_there_twice_is_a_duplicate_and_null_is_none(any_database: DatabaseUrl) -> None:
    execute(
        any_database,
        'CREATE TABLE "odd %t" (tenant integer, "slug ""x" text)',
        """INSERT INTO "odd %t" VALUES (1, 'a'), (1, 'a'), (1, 'b'), (2, 'a'), (NULL, 'a'), (NULL, 'a'), (1, 'a')""",
    )
    place = (default_namespace(any_database.dialect), "odd %t")
    both, slugs, none = find_duplicates(
        any_database, (place, ("tenant", 'slug "x')), (place, ('slug "x',)), (place, ("nothing",))
    )
    assert isinstance(both, Duplicates)
    assert (both.values, both.examples) == (1, ("1, a",))
    assert isinstance(slugs, Duplicates)
    assert (slugs.values, slugs.examples) == (1, ("a",))
    assert isinstance(none, NotLookedAt)
    dialect = dialect_of(any_database)
    with dialect.connect(any_database, read_only=True) as connection:
        assert connection.rows(both.query.removesuffix(";")) == [(1, "a", 3)]


def test_an_invalid_unique_index_says_what_was_to_be_unique(postgresql_database: DatabaseUrl) -> None:
    execute(
        postgresql_database, "CREATE TABLE t (a integer, b integer)", "INSERT INTO t VALUES (1, 1), (1, 2)"
    )
    assert find_duplicates(postgresql_database) == ()
    with pytest.raises(Exception, match="could not create unique index"):
        execute(postgresql_database, "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a) INCLUDE (b)")
    (found,) = find_duplicates(postgresql_database)
    assert isinstance(found, Duplicates)
    assert (found.columns, found.values, found.examples) == (("a",), 1, ("1",))


def test_a_sequence_that_rows_were_loaded_past_is_behind(postgresql_database: DatabaseUrl) -> None:
    execute(
        postgresql_database,
        "CREATE SCHEMA odd",
        'CREATE TABLE odd."Behind" ("the id" serial)',
        'INSERT INTO odd."Behind" VALUES (7)',
        "CREATE TABLE fine (id bigint GENERATED ALWAYS AS IDENTITY)",
        "INSERT INTO fine DEFAULT VALUES",
        "CREATE TABLE empty (id serial)",
        "CREATE TABLE ahead (id serial)",
        "SELECT nextval('ahead_id_seq')",
        "CREATE TABLE backwards (id integer GENERATED ALWAYS AS IDENTITY (INCREMENT -1))",
    )
    positions = read_positions(postgresql_database)
    assert {name: one.is_behind for name, one in positions.items() if isinstance(one, SequencePosition)} == {
        "odd.Behind_the id_seq": True,
        "public.fine_id_seq": False,
        "public.empty_id_seq": False,
        "public.ahead_id_seq": False,
    }


def test_a_sequence_that_may_not_be_read_does_not_hide_the_others(
    postgresql_database: DatabaseUrl, make_role: MakeRole
) -> None:
    execute(
        postgresql_database,
        "CREATE TABLE secret (id serial)",
        "CREATE TABLE open (id serial)",
        "GRANT SELECT ON open, open_id_seq TO PUBLIC",
    )
    role = make_role("reader", "reader-password")
    name = role.text.partition("//")[2].partition(":")[0]
    positions = read_positions(with_credentials(postgresql_database, name, "reader-password"))
    refused = positions["sequence public.secret_id_seq"]
    assert isinstance(refused, NotLookedAt)
    assert "permission denied" in refused.why
    assert isinstance(positions["public.open_id_seq"], SequencePosition)


def test_a_check_that_was_never_made_tells_the_rows_that_break_it(postgresql_database: DatabaseUrl) -> None:
    execute(
        postgresql_database,
        "CREATE TABLE t (a integer CONSTRAINT made CHECK (a < 100))",
        "INSERT INTO t VALUES (1), (-1), (-2), (NULL)",
        "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT small CHECK (a < 50) NOT VALID",
    )
    dialect = dialect_of(postgresql_database)
    with dialect.connect(postgresql_database, read_only=True) as connection:
        found = tuple(dialect.find_unchecked(connection, seconds=60))
        assert [(one.name, one.rows) for one in found if isinstance(one, BrokenCheck)] == [
            ("positive", 2),
            ("small", 0),
        ]
        assert isinstance(found[0], BrokenCheck)
        assert connection.rows(found[0].query.removesuffix(";")) == [(-1,), (-2,)]


def test_a_whole_database_has_no_damage(any_database: DatabaseUrl) -> None:
    execute(any_database, "CREATE TABLE t (a integer PRIMARY KEY, b text)", "INSERT INTO t VALUES (1, 'x')")
    assert find_damage(any_database) == ()


def test_sqlite_finds_a_page_that_was_overwritten(sqlite_database: DatabaseUrl) -> None:
    execute(
        sqlite_database,
        "CREATE TABLE t (a integer PRIMARY KEY, b text)",
        "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
        "SELECT i, 'some text that fills pages' FROM n",
    )
    _overwrite(sqlite_database.path, at=3 * 4096 + 8, content=b"\xff" * 200)
    found = find_damage(sqlite_database)
    assert found
    assert all(isinstance(one, Damage) and one.said for one in found)


def test_sqlite_finds_an_index_that_lacks_rows(sqlite_database: DatabaseUrl) -> None:
    execute(
        sqlite_database, "CREATE TABLE t (a integer)", "CREATE INDEX i ON t (a)", "INSERT INTO t VALUES (1)"
    )
    with sqlite3.connect(sqlite_database.path) as connection:
        connection.execute("PRAGMA writable_schema = on")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'a', 'b') WHERE type = 'table'")
    connection.close()
    assert find_damage(sqlite_database)


def _overwrite(file: Path, *, at: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(content)
