"""Repair of a SQLite schema: every difference, in both directions, and no row lost that has a place."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from govern.core.changes import accept, describe_change, diff
from govern.core.snapshot import ObjectKey, Snapshot
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable

TABLE = VersionTable()
PARENT = "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT); "
CHILD = (
    "CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent (id) ON DELETE CASCADE,"
    " body TEXT); "
)
FAMILY = PARENT + CHILD

# what is done to one side
CASES = {
    "table": ("", "CREATE TABLE extra (id INTEGER PRIMARY KEY, a TEXT UNIQUE)"),
    "table-with-index": ("", "CREATE TABLE extra (id INTEGER); CREATE INDEX extra_ix ON extra (id)"),
    "column": ("", "ALTER TABLE parent ADD COLUMN age INTEGER"),
    "column-not-null-default": ("", "ALTER TABLE parent ADD COLUMN age INTEGER NOT NULL DEFAULT 3"),
    "type": ("CREATE TABLE t (a INTEGER, b TEXT)", "CREATE TABLE t (a BIGINT, b TEXT)"),
    "nullable": ("CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT NOT NULL)"),
    "default": ("CREATE TABLE t (a TEXT DEFAULT 'x')", "CREATE TABLE t (a TEXT DEFAULT (lower('Y')))"),
    "collation": ("CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT COLLATE NOCASE)"),
    "check": ("CREATE TABLE t (a INTEGER)", "CREATE TABLE t (a INTEGER CHECK (a > 0))"),
    "check-changed": (
        "CREATE TABLE t (a INTEGER CHECK (a > 0))",
        "CREATE TABLE t (a INTEGER CHECK (a > -9))",
    ),
    "check-names-table": (
        "CREATE TABLE t (a INTEGER, b INTEGER)",
        "CREATE TABLE t (a INTEGER, b INTEGER, CONSTRAINT c CHECK (a IS NOT NULL))",
    ),
    "unique": ("CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT UNIQUE)"),
    "unique-of-two": ("CREATE TABLE t (a TEXT, b TEXT)", "CREATE TABLE t (a TEXT, b TEXT, UNIQUE (a, b))"),
    "primary-key": ("CREATE TABLE t (a INTEGER, b TEXT)", "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"),
    "autoincrement": (
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)",
        "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT)",
    ),
    "strict": ("CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT) STRICT"),
    "without-rowid": (
        "CREATE TABLE t (a TEXT NOT NULL PRIMARY KEY, b TEXT)",
        "CREATE TABLE t (a TEXT NOT NULL PRIMARY KEY, b TEXT) WITHOUT ROWID",
    ),
    "generated": ("CREATE TABLE t (a INTEGER)", "CREATE TABLE t (a INTEGER, b INTEGER AS (a + 1) STORED)"),
    "generated-or-plain": (
        "CREATE TABLE t (a INTEGER, b INTEGER)",
        "CREATE TABLE t (a INTEGER, b INTEGER AS (a + 1))",
    ),
    "foreign-key": (
        "CREATE TABLE t (a INTEGER, p INTEGER)",
        "CREATE TABLE t (a INTEGER, p INTEGER REFERENCES parent (id))",
    ),
    "foreign-key-action": (
        "CREATE TABLE t (a INTEGER, p INTEGER REFERENCES parent (id))",
        "CREATE TABLE t (a INTEGER, p INTEGER REFERENCES parent (id) ON DELETE SET NULL ON UPDATE CASCADE)",
    ),
    "foreign-key-deferrable": (
        "CREATE TABLE t (a INTEGER, p INTEGER REFERENCES parent (id))",
        "CREATE TABLE t (a INTEGER, p INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
    ),
    "foreign-key-to-itself": (
        "CREATE TABLE t (a INTEGER PRIMARY KEY, p INTEGER)",
        "CREATE TABLE t (a INTEGER PRIMARY KEY, p INTEGER REFERENCES t (a))",
    ),
    "parent-of-others": ("", "ALTER TABLE parent ADD COLUMN note TEXT DEFAULT 'n'"),
    "index": ("", "CREATE INDEX i ON child (body)"),
    "index-unique": ("CREATE INDEX i ON child (id)", "CREATE UNIQUE INDEX i ON child (id)"),
    "index-where": ("CREATE INDEX i ON child (body)", "CREATE INDEX i ON child (body) WHERE body > 'a'"),
    "index-expression": ("CREATE INDEX i ON child (body)", "CREATE INDEX i ON child (lower(body) DESC)"),
    "index-collation": ("CREATE INDEX i ON child (body)", "CREATE INDEX i ON child (body COLLATE NOCASE)"),
    "index-of-a-changed-table": (
        "CREATE TABLE t (a INTEGER, b TEXT); CREATE INDEX i ON t (b); CREATE INDEX j ON t (a)",
        "CREATE TABLE t (a INTEGER, b TEXT NOT NULL); CREATE INDEX i ON t (b DESC); CREATE INDEX j ON t (a)",
    ),
    "view": ("", "CREATE VIEW v AS SELECT id FROM child"),
    "view-changed": ("CREATE VIEW v AS SELECT id FROM child", "CREATE VIEW v AS SELECT id, body FROM child"),
    "view-of-a-changed-table": (
        "CREATE TABLE t (a INTEGER); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v",
        "CREATE TABLE t (a BIGINT); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v",
    ),
    "trigger": ("", "CREATE TRIGGER g AFTER INSERT ON child BEGIN UPDATE parent SET name = 'x'; END"),
    "trigger-changed": (
        "CREATE TRIGGER g AFTER INSERT ON child BEGIN SELECT 1; END",
        "CREATE TRIGGER g BEFORE INSERT ON child WHEN NEW.id > 1 BEGIN SELECT 1; END",
    ),
    "trigger-of-a-changed-table": (
        "CREATE TABLE t (a INTEGER); CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM parent WHERE id < 0; END;"
        "CREATE TRIGGER h AFTER INSERT ON parent BEGIN INSERT INTO t (a) VALUES (1); END",
        "CREATE TABLE t (a BIGINT); CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM parent WHERE id < 0; END;"
        "CREATE TRIGGER h AFTER INSERT ON parent BEGIN INSERT INTO t (a) VALUES (1); END",
    ),
    "trigger-on-a-view": (
        "CREATE VIEW v AS SELECT id FROM child",
        "CREATE VIEW v AS SELECT id FROM child;"
        "CREATE TRIGGER g INSTEAD OF DELETE ON v BEGIN DELETE FROM child WHERE id = OLD.id; END",
    ),
    "odd-names": (
        'CREATE TABLE "odd ""t"" x" ("a b" INTEGER, [select] TEXT)',
        'CREATE TABLE "odd ""t"" x" ("a b" INTEGER, [select] TEXT NOT NULL DEFAULT \'\')',
    ),
    "quoted-keyword-as-name": (
        'CREATE TABLE t ("current_timestamp" TEXT, b INTEGER)',
        'CREATE TABLE t ("current_timestamp" TEXT, b BIGINT)',
    ),
    "batch-leftover": ("", "CREATE TABLE _alembic_tmp_child (id INTEGER)"),
}
BOTH = [(name, reverse) for name in CASES for reverse in (False, True)]


@pytest.mark.parametrize(("name", "reverse"), BOTH, ids=[f"{n}{'-back' * r}" for n, r in BOTH])
def test_a_difference_is_repaired_and_rows_survive(tmp_path: Path, name: str, reverse: bool) -> None:
    sides = [make(tmp_path / f"{at}.sqlite", FAMILY + script) for at, script in enumerate(CASES[name])]
    declared, live = reversed(sides) if reverse else sides
    fill(live)
    before = rows(live)
    assert diff(read(declared), read(live))
    apply(live, declared)
    assert [describe_change(change) for change in diff(read(declared), read(live))] == []
    assert_survived(before, rows(live))
    assert query(live, "PRAGMA integrity_check") == [("ok",)]


def test_nothing_is_proposed_where_nothing_differs(tmp_path: Path) -> None:
    one = make(tmp_path / "one.sqlite", FAMILY)
    other = make(tmp_path / "other.sqlite", FAMILY.replace("INTEGER", "integer").replace(" (", "("))
    assert propose(one, other) == ()


def test_each_change_has_the_statements_of_its_own_table(tmp_path: Path) -> None:
    others = "CREATE TABLE other (a TEXT); CREATE INDEX of_other ON other (a); "
    live = make(tmp_path / "a.sqlite", FAMILY + others + "CREATE INDEX of_child ON child (body)")
    wanted = (FAMILY + others).replace("a TEXT", "a TEXT NOT NULL").replace("body TEXT", "body VARCHAR(9)")
    declared = make(tmp_path / "b.sqlite", wanted + "CREATE INDEX of_child ON child (body DESC)")
    steps = dialect_of(live).propose_repair(live, live, declared, read(declared), TABLE).steps
    about = {
        name: "\n".join(step.sql for step in steps if ObjectKey(*name) in step.undoes)
        for name in (("column", "", "other.a"), ("column", "", "child.body"), ("index", "", "child.of_child"))
    }
    assert "of_other" in about["column", "", "other.a"]
    assert "child" not in about["column", "", "other.a"]
    for name in (("column", "", "child.body"), ("index", "", "child.of_child")):
        assert "_govern_new_child" in about[name]
        assert "body DESC" in about[name]
        assert "other" not in about[name]
    unattributed = [step.sql for step in steps if not step.undoes]
    assert all("govern_repair" in sql for sql in unattributed)


def test_what_is_ignored_survives_that_its_table_is_rebuilt(tmp_path: Path) -> None:
    kept = "CREATE INDEX by_hand ON child (body); CREATE VIEW seen AS SELECT body FROM child; "
    live = make(tmp_path / "a.sqlite", FAMILY + kept)
    declared = make(tmp_path / "b.sqlite", FAMILY.replace("body TEXT", "body TEXT NOT NULL"))
    ignored = [change for change in diff(read(declared), read(live)) if change.action == "added"]
    expected = accept(read(declared), read(live), ignored)
    steps = dialect_of(live).propose_repair(live, live, declared, expected, TABLE).steps
    with dialect_of(live).connect(live) as connection, connection.transaction():
        for step in steps:
            connection.execute(step.sql)
    assert diff(expected, read(live)) == ()
    assert len(ignored) == 2


def test_keys_that_were_given_once_are_not_given_again(tmp_path: Path) -> None:
    declared = make(tmp_path / "a.sqlite", "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b BIGINT)")
    live = make(tmp_path / "b.sqlite", "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b INTEGER)")
    script(live, "INSERT INTO t (b) VALUES (1), (2), (3); DELETE FROM t WHERE a > 1")
    apply(live, declared)
    script(live, "INSERT INTO t (b) VALUES (4)")
    assert query(live, "SELECT a FROM t ORDER BY a") == [(1,), (4,)]


def test_children_of_a_rebuilt_table_keep_their_rows(tmp_path: Path) -> None:
    declared = make(tmp_path / "a.sqlite", FAMILY.replace("name TEXT", "name TEXT NOT NULL DEFAULT ''"))
    live = make(tmp_path / "b.sqlite", FAMILY)
    script(
        live,
        "INSERT INTO parent VALUES (1, NULL), (2, 'b'); INSERT INTO child VALUES (1, 1, 'x'), (2, 2, 'y')",
    )
    apply(live, declared)
    assert query(live, "SELECT * FROM child") == [(1, 1, "x"), (2, 2, "y")]
    assert query(live, "SELECT * FROM parent") == [(1, ""), (2, "b")]
    script(live, "PRAGMA foreign_keys = ON; DELETE FROM parent WHERE id = 1")
    assert query(live, "SELECT id FROM child") == [(2,)]  # the reference is to the rebuilt table


def test_rows_that_do_not_fit_leave_everything_as_it_was(tmp_path: Path) -> None:
    declared = make(tmp_path / "a.sqlite", "CREATE TABLE t (a TEXT NOT NULL); CREATE TABLE u (a TEXT)")
    live = make(tmp_path / "b.sqlite", "CREATE TABLE t (a TEXT)")
    script(live, "INSERT INTO t VALUES (NULL)")
    before = live.path.read_bytes()
    with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
        apply(live, declared)
    assert live.path.read_bytes() == before


def test_a_new_foreign_key_that_rows_violate_is_refused_and_old_orphans_are_not_in_the_way(
    tmp_path: Path,
) -> None:
    plain = PARENT + "CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER, body TEXT)"
    declared, live = make(tmp_path / "a.sqlite", FAMILY), make(tmp_path / "b.sqlite", plain)
    script(live, "INSERT INTO child VALUES (1, 77, 'orphan')")
    with pytest.raises(sqlite3.IntegrityError, match="orphans"):
        apply(live, declared)
    assert diff(read(live), read(make(tmp_path / "c.sqlite", plain))) == ()

    drifted = make(tmp_path / "d.sqlite", FAMILY.replace("body TEXT", "body BLOB"))
    script(drifted, "INSERT INTO child VALUES (1, 77, 'orphan')")
    apply(drifted, declared)
    assert query(drifted, "SELECT * FROM child") == [(1, 77, "orphan")]


def test_the_script_refuses_to_run_where_foreign_keys_would_delete_rows(tmp_path: Path) -> None:
    declared = make(tmp_path / "a.sqlite", FAMILY.replace("name TEXT", "name BLOB"))
    live = make(tmp_path / "b.sqlite", FAMILY)
    script(live, "INSERT INTO parent VALUES (1, 'a'); INSERT INTO child VALUES (1, 1, 'x')")
    statements = propose(live, declared)
    with contextlib.closing(sqlite3.connect(live.path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError, match="foreign keys must be off"):
            connection.executescript("BEGIN;" + ";".join(statements))
    assert query(live, "SELECT * FROM child") == [(1, 1, "x")]


def test_repairs_twice_are_one(tmp_path: Path) -> None:
    declared = make(tmp_path / "a.sqlite", FAMILY.replace("TEXT", "BLOB"))
    live = make(tmp_path / "b.sqlite", FAMILY)
    apply(live, declared)
    shutil.copy(live.path, tmp_path / "once.sqlite")
    assert propose(live, declared) == ()


def make(file: Path, sql: str) -> DatabaseUrl:
    file.touch()
    url = DatabaseUrl.parse(f"sqlite:///{file}")
    script(url, sql)
    return url


def script(url: DatabaseUrl, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(url.path)) as connection:
        connection.executescript(sql)
        connection.commit()


def query(url: DatabaseUrl, sql: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(url.path)) as connection:
        return connection.execute(sql).fetchall()


def read(url: DatabaseUrl) -> Snapshot:
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        return dialect.read_snapshot(connection, TABLE)


def propose(live: DatabaseUrl, declared: DatabaseUrl) -> tuple[str, ...]:
    proposal = dialect_of(live).propose_repair(live, live, declared, read(declared), TABLE)
    return tuple(step.sql for step in proposal.steps)


def apply(live: DatabaseUrl, declared: DatabaseUrl) -> None:
    statements = propose(live, declared)
    with dialect_of(live).connect(live) as connection, connection.transaction():
        for statement in statements:
            connection.execute(statement)


def fill(url: DatabaseUrl) -> None:
    """Three rows in every table, by the values that fit its columns."""
    with contextlib.closing(sqlite3.connect(url.path)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        for table in tables(connection):
            columns = connection.execute(
                "SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,)
            ).fetchall()
            for number in (1, 2, 3):
                values = [number if "INT" in kind.upper() else f"text {number}" for _, kind in columns]
                names = ", ".join(quote(name) for name, _ in columns)
                marks = ", ".join("?" for _ in columns)
                connection.execute(f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})", values)
        for _, sql in triggers:
            connection.execute(sql)
        connection.commit()


def rows(url: DatabaseUrl) -> dict[str, dict[str, list[object]]]:
    """The sorted values of each column of each table."""
    with contextlib.closing(sqlite3.connect(url.path)) as connection:
        return {
            table: {
                name: sorted(
                    (row[0] for row in connection.execute(f"SELECT {quote(name)} FROM {quote(table)}")),
                    key=repr,
                )
                for (name,) in connection.execute(
                    "SELECT name FROM pragma_table_info(?)", (table,)
                ).fetchall()
            }
            for table in tables(connection)
        }


def assert_survived(
    before: dict[str, dict[str, list[object]]], after: dict[str, dict[str, list[object]]]
) -> None:
    """What is on both sides has the same values."""
    assert before["parent"]["id"] == after["parent"]["id"] == [1, 2, 3]
    for table in before.keys() & after.keys():
        for column in before[table].keys() & after[table].keys():
            if column != "b" or table != "t":  # which is generated on one side
                assert before[table][column] == after[table][column]


def tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
    )
    return [name for (name,) in found.fetchall()]


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
