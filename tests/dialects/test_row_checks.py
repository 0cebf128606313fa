"""Sequences, duplicates, checks that were never made and damaged files: found where they are, and nowhere else."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest

from govern.core.rows import (
    BrokenPromise,
    Damage,
    Duplicates,
    NotLookedAt,
    SequencePosition,
    Unique,
)
from govern.core.snapshot import default_namespace
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
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
        any_database,
        Unique.of_columns(place, ("tenant", 'slug "x')),
        Unique.of_columns(place, ('slug "x',)),
        Unique.of_columns(place, ("nothing",)),
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
    assert (found.unique.columns, found.values, found.examples) == (("a",), 1, ("1",))


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
        found = tuple(dialect.find_broken(connection, (), examples=3, seconds=60))
        assert [(one.promise.name, one.rows) for one in found if isinstance(one, BrokenPromise)] == [
            ("positive", 2),
            ("small", 0),
        ]
        assert isinstance(found[0], BrokenPromise)
        assert connection.rows(found[0].query.removesuffix(";")) == [(-1,), (-2,)]


def find_broken(
    url: DatabaseUrl, *declared: str, live: tuple[str, ...]
) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Declares a schema, takes its snapshot, makes it live by ``live``; what is broken by kind and name, with keys."""
    dialect = dialect_of(url)
    table = VersionTable()
    execute(url, *declared)
    with dialect.connect(url, read_only=True) as connection:
        expected = dialect.read_snapshot(connection, table)
    execute(url, *live)
    with dialect.connect(url, read_only=True) as connection:
        lost = dialect.find_lost_promises(expected, dialect.read_snapshot(connection, table))
        twice = tuple(dialect.find_duplicates(connection, lost.uniques, examples=3, seconds=60))
        broken = tuple(dialect.find_broken(connection, lost.promises, examples=3, seconds=60))
    found = {
        f"duplicate {one.unique.name}": (one.values, one.examples)
        for one in twice
        if isinstance(one, Duplicates)
    }
    for one in broken:
        assert isinstance(one, BrokenPromise), one
        found[f"{one.promise.kind} {one.promise.name}"] = (one.rows, one.examples)
    return {name: said for name, said in found.items() if said[0]}


PEOPLE = """CREATE TABLE people (
    id integer PRIMARY KEY, email varchar(90), tenant integer, nick text NOT NULL, age integer,
    CONSTRAINT grown CHECK (age >= 18), CONSTRAINT kinds CHECK (nick IN ('a', 'it''s, b', 'VALUE')),
    CONSTRAINT one_email UNIQUE (tenant, email)
)"""
LOOSE = (
    "CREATE TABLE people (id integer PRIMARY KEY, email varchar(90), tenant integer, nick text, age integer)"
)
GOOD = "INSERT INTO people VALUES (1, 'X@y', 1, 'a', 20), (2, 'X@y', 2, 'VALUE', NULL), (3, NULL, 2, 'it''s, b', 18)"
LOW = "CREATE UNIQUE INDEX one_login ON people (lower(email), tenant) WHERE tenant > 1"


def test_what_is_declared_of_rows_and_lost_is_counted_with_keys(any_database: DatabaseUrl) -> None:
    bad = (
        "INSERT INTO people VALUES (4, 'x@Y', 2, 'c', 17), (5, 'X@y', 1, 'a', 20), (6, 'x@y', 3, NULL, 30)",
        "INSERT INTO people VALUES (7, 'n', 1, 'd', 18)",
    )
    found = find_broken(any_database, PEOPLE, LOW, live=("DROP TABLE people", LOOSE, GOOD, *bad))
    assert found == {
        "duplicate one_email": (1, ("1, X@y",)),
        "duplicate one_login": (1, ("x@y, 2",)),
        "check grown": (1, ("4",)),
        "check kinds": (2, ("4", "7")),
        "not null nick NOT NULL": (1, ("6",)),
    }


def test_rows_that_keep_what_was_lost_are_not_spoken_of(any_database: DatabaseUrl) -> None:
    assert find_broken(any_database, PEOPLE, LOW, live=("DROP TABLE people", LOOSE, GOOD)) == {}


def test_what_the_database_keeps_under_another_name_is_not_asked_again(any_database: DatabaseUrl) -> None:
    execute(any_database, PEOPLE, LOW)
    dialect = dialect_of(any_database)
    with dialect.connect(any_database, read_only=True) as connection:
        declared = dialect.read_snapshot(connection, VersionTable())
    execute(any_database, "DROP INDEX one_login", LOW.replace("one_login", "renamed"))
    with dialect.connect(any_database, read_only=True) as connection:
        lost = dialect.find_lost_promises(declared, dialect.read_snapshot(connection, VersionTable()))
    assert lost.uniques == ()


TYPES = (
    "CREATE TYPE mood AS ENUM ('sad', 'it''s')",
    "CREATE SCHEMA odd",
    """CREATE DOMAIN odd."Age %" AS integer CHECK (VALUE > 0 AND 'VALUE' <> 'x')""",
    """CREATE TABLE t (id integer, part integer, m mood, a odd."Age %", PRIMARY KEY (part, id))""",
)


def test_values_that_a_lost_enum_or_domain_would_refuse_are_counted(postgresql_database: DatabaseUrl) -> None:
    found = find_broken(
        postgresql_database,
        *TYPES,
        live=(
            "ALTER TABLE t ALTER m TYPE text, ALTER a TYPE integer",
            "INSERT INTO t VALUES (1, 7, 'sad', 1), (2, 7, 'mad', 0), (3, 7, NULL, NULL), (4, 7, 'it''s', -1)",
        ),
    )
    assert found == {"enum public.mood": (1, ("7, 2",)), 'domain odd."Age %"': (2, ("7, 2", "7, 4"))}


def test_labels_that_an_enum_has_and_should_not_are_counted(postgresql_database: DatabaseUrl) -> None:
    found = find_broken(
        postgresql_database,
        *TYPES,
        live=("ALTER TYPE mood ADD VALUE 'mad'", "INSERT INTO t VALUES (1, 1, 'mad', 1), (2, 1, 'sad', 1)"),
    )
    assert found == {"enum public.mood": (1, ("1, 1",))}


def test_a_domain_that_was_not_validated_is_held_against_its_columns(
    postgresql_database: DatabaseUrl,
) -> None:
    rows = "INSERT INTO t VALUES (1, 1, 'sad', 50), (2, 1, 'sad', 5)"
    later = """ALTER DOMAIN odd."Age %" ADD CONSTRAINT young CHECK (VALUE < 40) NOT VALID"""
    execute(postgresql_database, *TYPES, rows, later)
    dialect = dialect_of(postgresql_database)
    with dialect.connect(postgresql_database, read_only=True) as connection:
        (found,) = dialect.find_broken(connection, (), examples=3, seconds=60)
    assert isinstance(found, BrokenPromise)
    assert (found.rows, found.examples, found.promise.column) == (1, ("1, 1",), "a")
    assert found.promise.doubt == "it is NOT VALID"


def test_not_null_that_was_not_validated_is_held_against_its_column(postgresql_database: DatabaseUrl) -> None:
    execute(
        postgresql_database,
        "CREATE TABLE t (id integer PRIMARY KEY, a integer)",
        "INSERT INTO t VALUES (1, 1), (2, NULL)",
    )
    try:
        execute(postgresql_database, "ALTER TABLE t ADD CONSTRAINT filled NOT NULL a NOT VALID")
    except psycopg.errors.SyntaxError:
        pytest.skip("NOT NULL constraints can be NOT VALID since PostgreSQL 18")
    dialect = dialect_of(postgresql_database)
    with dialect.connect(postgresql_database, read_only=True) as connection:
        (found,) = dialect.find_broken(connection, (), examples=3, seconds=60)
    assert isinstance(found, BrokenPromise)
    assert (found.rows, found.examples, found.promise.kind) == (1, ("2",), "not null")


def test_sqlite_tells_values_of_another_kind_than_their_column(sqlite_database: DatabaseUrl) -> None:
    table = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, r DECIMAL(9, 2), s VARCHAR(20), d DATETIME, j JSON, "
        "b BLOB, x)"
    )
    good = "INSERT INTO t VALUES (1, 7, 1.5, 'a', '2031-01-01', '{}', x'00', 'x'), (2, NULL, 3, NULL, 0, 1, 'b', 1)"
    bad = "INSERT INTO t VALUES (3, 'seven', '1,5', x'ff', 'never', 'y', 1, 1), (4, 1.5, 2, 3, 4, 5, 6, 7)"
    found = find_broken(sqlite_database, table, live=(good, bad))
    assert found == {
        "storage class INT": (2, ("3", "4")),
        "storage class DECIMAL(9, 2)": (1, ("3",)),
        "storage class VARCHAR(20)": (1, ("3",)),
    }
    execute(sqlite_database, "DELETE FROM t WHERE id > 2")
    assert find_broken(sqlite_database, live=()) == {}


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
