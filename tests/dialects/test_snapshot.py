"""What a snapshot promises on every engine."""

from __future__ import annotations

import pytest

from govern.core.changes import diff
from govern.core.snapshot import Snapshot
from govern.database.engines import dialect_of
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable

TABLE = VersionTable()

SCHEMA = (
    "CREATE TABLE users (id integer NOT NULL, email varchar(320) NOT NULL, age integer DEFAULT 1,"
    " CONSTRAINT users_pkey PRIMARY KEY (id), CONSTRAINT positive CHECK (age > 0))",
    "CREATE TABLE notes (id integer NOT NULL PRIMARY KEY, user_id integer,"
    " CONSTRAINT notes_user FOREIGN KEY (user_id) REFERENCES users (id))",
    "CREATE INDEX notes_user_ix ON notes (user_id)",
    "CREATE VIEW adults AS SELECT id FROM users WHERE age > 17",
)

# statements, kind, action, name
CASES = [
    (["CREATE TABLE extra (id integer PRIMARY KEY, a text UNIQUE)"], "table", "added", "extra"),
    (["DROP TABLE notes"], "table", "removed", "notes"),
    (["ALTER TABLE notes ADD COLUMN body text"], "column", "added", "notes.body"),
    (["CREATE UNIQUE INDEX extra ON users (email)"], "index", "added", "users.extra"),
    (["DROP INDEX notes_user_ix"], "index", "removed", "notes.notes_user_ix"),
    (
        ["DROP INDEX notes_user_ix", "CREATE INDEX notes_user_ix ON notes (user_id, id)"],
        "index",
        "changed",
        "notes.notes_user_ix",
    ),
    (["CREATE VIEW extra AS SELECT id FROM notes"], "view", "added", "extra"),
    (["DROP VIEW adults"], "view", "removed", "adults"),
    (
        ["DROP VIEW adults", "CREATE VIEW adults AS SELECT id FROM users WHERE age > 20"],
        "view",
        "changed",
        "adults",
    ),
]
IDS = [case[0][-1][:50] for case in CASES]


@pytest.mark.parametrize(("statements", "kind", "action", "name"), CASES, ids=IDS)
def test_one_change_is_exactly_that_and_moves_the_fingerprint(
    any_database: DatabaseUrl, statements: list[str], kind: str, action: str, name: str
) -> None:
    run(any_database, *SCHEMA)
    before, fingerprint = read(any_database)
    run(any_database, *statements)
    after, moved = read(any_database)
    changes = [(change.key.kind, change.action, change.key.name) for change in diff(before, after)]
    assert changes == [(kind, action, name)]
    assert fingerprint != moved


def test_an_empty_database_has_no_tables(any_database: DatabaseUrl) -> None:
    snapshot, fingerprint = read(any_database)
    assert not list(snapshot.of_kind("table"))
    assert len(fingerprint) == 64


def test_rows_change_nothing(any_database: DatabaseUrl) -> None:
    run(any_database, *SCHEMA)
    before = read(any_database)
    run(
        any_database,
        "INSERT INTO users (id, email) VALUES (1, 'a'), (2, 'b')",
        "DELETE FROM users WHERE id = 1",
    )
    run(
        any_database,
        "ANALYZE",
        "VACUUM",
        "REINDEX INDEX notes_user_ix" if is_server(any_database) else "REINDEX",
    )
    assert read(any_database) == before


def test_the_version_table_is_no_part_of_the_schema(any_database: DatabaseUrl) -> None:
    run(any_database, *SCHEMA)
    before = read(any_database)
    run(any_database, "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)")
    assert read(any_database) == before


def test_the_stamped_revisions_are_read(any_database: DatabaseUrl) -> None:
    dialect = dialect_of(any_database)
    with dialect.connect(any_database) as connection:
        assert dialect.read_version_rows(connection, TABLE) is None
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
        assert dialect.read_version_rows(connection, TABLE) == ()
        connection.execute("INSERT INTO alembic_version VALUES ('b'), ('a')")
        assert dialect.read_version_rows(connection, TABLE) == ("a", "b")


def test_rows_are_counted_and_missing_tables_left_out(any_database: DatabaseUrl) -> None:
    run(
        any_database,
        'CREATE TABLE "odd "".%s; name" (id integer)',
        'INSERT INTO "odd "".%s; name" VALUES (1), (2)',
    )
    run(any_database, *(f"CREATE TABLE t{number} (id integer)" for number in range(120)))
    names = ['odd ".%s; name', "missing", *(f"t{number}" for number in range(120))]
    namespace = "public" if is_server(any_database) else ""
    prefix = "public." if is_server(any_database) else ""
    dialect = dialect_of(any_database)
    with dialect.connect(any_database, read_only=True) as connection:
        counts = dialect.count_rows(connection, [(namespace, name) for name in names])
        assert dialect.count_rows(connection, []) == {}
    assert counts == {f'{prefix}odd ".%s; name': 2} | {f"{prefix}t{number}": 0 for number in range(120)}


def read(url: DatabaseUrl) -> tuple[Snapshot, str]:
    dialect = dialect_of(url)
    with dialect.connect(url, read_only=True) as connection:
        return dialect.read_snapshot(connection, TABLE), dialect.read_fingerprint(connection, TABLE)


def run(url: DatabaseUrl, *statements: str) -> None:
    with dialect_of(url).connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def is_server(url: DatabaseUrl) -> bool:
    return url.dialect == "postgresql"
