"""SQLite keeps texts, not a catalog: what is the same must read the same, what differs must not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from govern.core.changes import diff
from govern.core.snapshot import Snapshot
from govern.database.engines import dialect_of
from govern.database.sqlite.catalog import find_equal_defaults
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable

PEOPLE = "CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY, name TEXT)"

SAME = [
    (
        "CREATE TABLE t (a VARCHAR(20) NOT NULL)",
        'create table "t" ( `a` varchar( 20 )  -- x, (\n not  null )',
    ),
    (
        "CREATE TABLE t (id INTEGER NOT NULL, PRIMARY KEY (id))",
        "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY)",
    ),
    (
        "CREATE TABLE t (a INT, CONSTRAINT f FOREIGN KEY(a) REFERENCES people (id) ON DELETE SET NULL)",
        "CREATE TABLE t (a INT CONSTRAINT f REFERENCES people(id) ON DELETE SET NULL)",
    ),
    ("CREATE TABLE t (a INT, UNIQUE (a))", "CREATE TABLE t (a INT UNIQUE)"),
    ("CREATE TABLE t (a INT UNIQUE, UNIQUE (a))", "CREATE TABLE t (a INT UNIQUE)"),
    (
        "CREATE TABLE t (a INT, CHECK (a>0 AND 'x(' <> ','))",
        "CREATE TABLE t (a INT check ( a > 0 and 'x(' <> ',' ))",
    ),
    (
        "CREATE TABLE t (a INT); ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'x'",
        "CREATE TABLE t (a INT, b TEXT DEFAULT 'x')",
    ),
    ("CREATE TABLE t (b TEXT, a INT)", "CREATE TABLE t (a INT, b TEXT)"),
    ("CREATE TABLE u (a INT); ALTER TABLE u RENAME TO t", "CREATE TABLE t (a INT)"),
    (
        "CREATE TABLE t (a INT); CREATE INDEX i ON t (a ASC)",
        'CREATE TABLE t (a INT); create index "i" on "t"("a")',
    ),
    ("CREATE TABLE t (a INT DEFAULT NULL)", "CREATE TABLE t (a INT)"),
    ("CREATE TABLE t (a INT DEFAULT 'x')", "CREATE TABLE t (a INT DEFAULT ('x'))"),
    ("CREATE TABLE t (a TEXT DEFAULT ((1) || (2)))", "CREATE TABLE t (a TEXT DEFAULT (((1) || (2))))"),
    (
        "CREATE TABLE t (a INT REFERENCES people(id) ON DELETE NO ACTION ON UPDATE CASCADE)",
        "CREATE TABLE t (a INT REFERENCES people(id) ON UPDATE CASCADE)",
    ),
]

DIFFERENT = [
    (
        "a INT REFERENCES people (id) ON DELETE NO ACTION",
        "a INT REFERENCES people (id) ON DELETE RESTRICT",
        "constraint",
        {"definition"},
    ),
    ("a INT", "a BIGINT", "column", {"type"}),
    ("a INT", "a INT NOT NULL", "column", {"nullable"}),
    ("a INT DEFAULT 1", "a INT DEFAULT 2", "column", {"default"}),
    ("a TEXT", "a TEXT COLLATE nocase", "column", {"collation"}),
    ("a INT, b AS (a + 1)", "a INT, b AS (a + 2)", "column", {"generated"}),
    ("a INT, b AS (a) VIRTUAL", "a INT, b AS (a) STORED", "column", {"generated_kind"}),
    ("a INT NOT NULL", "a INT NOT NULL ON CONFLICT IGNORE", "column", {"on_null"}),
    (
        "a INT REFERENCES people (id)",
        "a INT REFERENCES people (id) ON DELETE CASCADE",
        "constraint",
        {"definition"},
    ),
    (
        "a INT REFERENCES people (id)",
        "a INT REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED",
        "constraint",
        {"definition"},
    ),
    ("a INTEGER PRIMARY KEY", "a INTEGER PRIMARY KEY AUTOINCREMENT", "constraint", {"definition"}),
    ("a INT, CONSTRAINT c CHECK (a > 0)", "a INT, CONSTRAINT c CHECK (a > 1)", "constraint", {"definition"}),
    (
        "a INT, CONSTRAINT c CHECK (a = 'b')",
        "a INT, CONSTRAINT c CHECK (a = 'B')",
        "constraint",
        {"definition"},
    ),
]


@pytest.fixture
def snapshot_of(sqlite_database: DatabaseUrl) -> Callable[[str], Snapshot]:
    """The snapshot of a database that holds ``people`` and what the script makes."""

    def read(script: str) -> Snapshot:
        path = sqlite_database.path
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.executescript(f"{PEOPLE}; {script}")
        connection.close()
        with dialect_of(sqlite_database).connect(sqlite_database, read_only=True) as opened:
            return dialect_of(sqlite_database).read_snapshot(opened, VersionTable())

    return read


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spelling_alone_is_no_difference(
    snapshot_of: Callable[[str], Snapshot], one: str, other: str
) -> None:
    assert snapshot_of(one).objects == snapshot_of(other).objects


@pytest.mark.parametrize(("before", "after", "kind", "facts"), DIFFERENT)
def test_a_difference_is_one_change(
    snapshot_of: Callable[[str], Snapshot], before: str, after: str, kind: str, facts: set[str]
) -> None:
    changes = diff(snapshot_of(f"CREATE TABLE t ({before})"), snapshot_of(f"CREATE TABLE t ({after})"))
    assert [(change.key.kind, change.action) for change in changes] == [(kind, "changed")]
    assert set(changes[0].facts) == facts


@pytest.mark.parametrize(
    ("column", "declared", "live", "is_equal"),
    [
        ("INTEGER", "'-1'", "-1", True),
        ("BOOLEAN", "'0'", "FALSE", True),
        ("FLOAT", "1", "'1.0'", True),
        ("TEXT", "1", "'1'", True),
        ("TEXT", "1", "'1.0'", False),
        ("BLOB", "1", "'1'", False),
        ('"order"', "0", "'0'", True),
        ("INTEGER", "'-1'", "1", False),
        ("INTEGER", "1", "(abs(-1))", False),
        ("DATETIME", "CURRENT_TIMESTAMP", "'CURRENT_TIMESTAMP'", False),
    ],
)
def test_constants_that_a_column_stores_as_one_value_are_one_default(
    snapshot_of: Callable[[str], Snapshot], column: str, declared: str, live: str, is_equal: bool
) -> None:
    changes = diff(*(snapshot_of(f"CREATE TABLE t (a {column} DEFAULT {text})") for text in (declared, live)))
    (change,) = changes
    assert change.facts.keys() == {"default"}
    assert find_equal_defaults(changes) == ((change,) if is_equal else ())


def test_options_of_a_table_are_facts(snapshot_of: Callable[[str], Snapshot]) -> None:
    plain = snapshot_of("CREATE TABLE t (a TEXT NOT NULL PRIMARY KEY)")
    (change,) = diff(plain, snapshot_of("CREATE TABLE t (a TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID"))
    assert change.facts == {"options": (None, ("WITHOUT ROWID",))}


def test_constraints_without_a_name_are_told_apart(snapshot_of: Callable[[str], Snapshot]) -> None:
    snapshot = snapshot_of(
        "CREATE TABLE t (a INT REFERENCES people (id) ON DELETE SET DEFAULT NOT NULL UNIQUE"
        " CHECK (a > 0) CHECK (a < 9), b INT REFERENCES people (id) NOT DEFERRABLE,"
        " PRIMARY KEY (a, b), FOREIGN KEY (b) REFERENCES t (a))"
    )
    assert {key.name for key in snapshot.of_kind("constraint") if key.name.startswith("t.")} == {
        't."primary key"',
        't."unique (a)"',
        't."foreign key (a)"',
        't."foreign key (b)"',
        't."foreign key (b) 2"',
        't."CHECK (a > 0)"',
        't."CHECK (a < 9)"',
    }
    definitions = {facts.get("definition") for facts in snapshot.objects.values()}
    assert "FOREIGN KEY (a) REFERENCES people(id) ON DELETE SET DEFAULT" in definitions


def test_triggers_belong_to_their_table(snapshot_of: Callable[[str], Snapshot]) -> None:
    trigger = "CREATE TRIGGER g AFTER INSERT ON people BEGIN SELECT 1; END"
    (change,) = diff(snapshot_of(""), snapshot_of(trigger))
    assert (change.key.kind, change.key.name, change.action) == ("trigger", "people.g", "added")


def test_a_virtual_table_is_one_object(snapshot_of: Callable[[str], Snapshot]) -> None:
    (change,) = diff(snapshot_of(""), snapshot_of("CREATE VIRTUAL TABLE found USING fts5 (a)"))
    assert (change.key.kind, change.key.name) == ("table", "found")


def test_what_batch_mode_leaves_behind_is_a_table(snapshot_of: Callable[[str], Snapshot]) -> None:
    (change,) = diff(snapshot_of(""), snapshot_of("CREATE TABLE _alembic_tmp_people (id INT)"))
    assert (change.key.name, change.action) == ("_alembic_tmp_people", "added")


def test_tables_of_the_ledger_are_not_the_projects(snapshot_of: Callable[[str], Snapshot]) -> None:
    ledger = (
        "CREATE TABLE govern_runs (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE INDEX ix ON govern_runs (id)"
    )
    assert diff(snapshot_of(""), snapshot_of(ledger)) == ()
