"""As long as the watermark stands nothing was defined anew, and a start-up check need not look closer."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from govern.checks.startup import Expectation, check_startup
from govern.core.run import Run
from govern.database.connection import Connection
from govern.database.postgresql.catalog.coverage import read_ledger
from govern.database.postgresql.engine import PostgreSQL
from govern.database.postgresql.watermark import CATALOGS
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.revisions.graph import Chain
from tests.fixtures.databases import MakeDatabase, MakeRole, with_credentials

TABLE = VersionTable()
SCHEMA = """
CREATE TABLE users (id serial PRIMARY KEY, name text CHECK (name <> ''));
CREATE TABLE notes (id int GENERATED ALWAYS AS IDENTITY, user_id int REFERENCES users, body text);
CREATE INDEX notes_body ON notes (body);
CREATE VIEW names AS SELECT name FROM users;
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('r1');
"""


@pytest.fixture
def database(postgresql_database: DatabaseUrl) -> DatabaseUrl:
    run(postgresql_database, SCHEMA)
    return postgresql_database


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO users (name) SELECT 'u' || n FROM generate_series(1, 3000) n",
        "INSERT INTO users (name) VALUES ('x'); UPDATE users SET name = 'y'; DELETE FROM users",
        "ANALYZE",
        "VACUUM",
        "VACUUM (FREEZE)",
        "SELECT nextval('users_id_seq'), setval('users_id_seq', 5000)",
        "SELECT * FROM names",
    ],
)
def test_use_leaves_the_watermark_where_it_is(database: DatabaseUrl, statement: str) -> None:
    watermark = read(database)
    run(database, statement)
    assert is_untouched(database, watermark)


def test_what_is_rolled_back_or_refused_leaves_it_where_it_is(database: DatabaseUrl) -> None:
    watermark = read(database)
    run(database, "BEGIN; ALTER TABLE users ADD COLUMN age int; CREATE TABLE other (); ROLLBACK")
    with suppress(psycopg.Error):
        run(database, "BEGIN; DROP VIEW names; SELECT 1 / 0")
    assert is_untouched(database, watermark)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE users ADD COLUMN age int",
        "ALTER TABLE notes DROP COLUMN body",
        "DROP INDEX notes_body",
        "DROP VIEW names",
        "DROP VIEW names; CREATE VIEW names AS SELECT name FROM users",
        "ALTER SEQUENCE users_id_seq OWNED BY NONE",
        "ALTER TABLE users ALTER name SET STATISTICS 5",
        "ALTER TABLE users DISABLE TRIGGER ALL",
        "COMMENT ON TABLE users IS 'People'",
        "GRANT SELECT (name) ON users TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        "BEGIN; SET LOCAL allow_system_table_mods = on;"
        " UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'notes_body'::regclass; COMMIT",
    ],
)
def test_a_definition_moves_it(database: DatabaseUrl, statement: str) -> None:
    watermark = read(database)
    run(database, statement)
    assert not is_untouched(database, watermark)


def test_another_name_of_a_role_that_owns_something_moves_it(
    database: DatabaseUrl, make_role: MakeRole
) -> None:
    role = role_of(make_role("reader", "s3cret"))
    run(database, sql.SQL("ALTER VIEW names OWNER TO {}").format(sql.Identifier(role)))
    watermark = read(database)
    rename(database, role, f"{role}_x")
    moved = not is_untouched(database, watermark)
    rename(database, f"{role}_x", role)
    run(database, "DROP VIEW names")
    assert moved


def test_a_role_that_has_nothing_in_the_database_leaves_it_where_it_is(
    database: DatabaseUrl, make_role: MakeRole
) -> None:
    watermark = read(database)
    make_role("stranger", "s3cret")
    assert is_untouched(database, watermark)


def test_a_transaction_that_was_open_when_it_was_read_moves_it_when_it_commits(database: DatabaseUrl) -> None:
    with psycopg.connect(database.conninfo) as connection:
        connection.execute("ALTER TABLE users ADD COLUMN age int")
        watermark = read(database)
        assert is_untouched(database, watermark)
    assert not is_untouched(database, watermark)


def test_it_is_believed_in_its_own_database_only(
    database: DatabaseUrl, make_postgresql_database: MakeDatabase
) -> None:
    other = make_postgresql_database("template0")
    run(other, SCHEMA)
    assert not is_untouched(other, read(database))


@pytest.mark.parametrize("transactions", [-(2**31), 2**20, 2**40])
def test_it_is_not_believed_for_ever_nor_from_the_future(database: DatabaseUrl, transactions: int) -> None:
    prefix, name, transaction, digest = read(database).split(" ")
    assert not is_untouched(database, f"{prefix} {name} {int(transaction) + transactions} {digest}")


@pytest.mark.parametrize("text", ["", "0", "2 .alembic_version 5 abc", "1 .alembic_version x y"])
def test_another_text_is_not_believed(database: DatabaseUrl, text: str) -> None:
    assert not is_untouched(database, text)


def test_it_is_not_believed_for_another_version_table(database: DatabaseUrl) -> None:
    dialect = PostgreSQL()
    with dialect.connect(database, read_only=True) as connection:
        assert not dialect.is_untouched(connection, VersionTable("versions"), read(database))


def test_a_role_without_any_right_reads_the_same(database: DatabaseUrl, make_role: MakeRole) -> None:
    run(database, "CREATE EXTENSION IF NOT EXISTS plpgsql; REVOKE ALL ON SCHEMA public FROM PUBLIC")
    role = urlsplit(make_role("stranger", "s3cret").text)
    assert is_untouched(with_credentials(database, role.username or "", role.password or ""), read(database))


ELSEWHERE = {
    "pg_publication_namespace": "a publication's schemas are in pg_depend, too",
    "pg_user_mapping": "read through the view that everybody may read",
    "pg_seclabel": "security labels are in no snapshot",
    "pg_subscription": "subscriptions are in no snapshot",
}


def test_it_is_made_of_every_catalog_that_defines_something() -> None:
    defining = {column.table for column in read_ledger() if column.role == "definition"}
    assert set(CATALOGS) == (defining - ELSEWHERE.keys()) | {"pg_init_privs"}  # what grants are told apart by
    assert defining >= ELSEWHERE.keys()


class Watched(PostgreSQL):
    """Counts the fingerprints that it reads."""

    def __init__(self) -> None:
        self.fingerprints = 0

    def read_fingerprint(self, connection: Connection, table: VersionTable) -> str:
        self.fingerprints += 1
        return super().read_fingerprint(connection, table)


def test_start_up_reads_a_fingerprint_only_once_something_was_touched(database: DatabaseUrl) -> None:
    record_validated_run(database)
    assert start(database) == (0, 0)
    run(database, "TRUNCATE notes")
    assert start(database) == (1, 0)
    run(database, "ALTER TABLE users ADD COLUMN age int")
    assert start(database) == (1, 1)


def test_a_run_without_a_watermark_is_decided_by_its_fingerprint(database: DatabaseUrl) -> None:
    record_validated_run(database, with_watermark=False)
    assert start(database) == (1, 0)


def start(url: DatabaseUrl) -> tuple[int, int]:
    """How many fingerprints a start-up check reads, and how much it finds."""
    dialect = Watched()
    expected = Expectation(heads=("r1",), lock=None, read_chain=lambda: Chain(files=()))
    with dialect.connect(url, read_only=True) as connection:
        findings = check_startup(connection, dialect, TABLE, expected, subject="database")
    return dialect.fingerprints, len(findings)


def record_validated_run(url: DatabaseUrl, *, with_watermark: bool = True) -> None:
    dialect = PostgreSQL()
    blank = Run(id="0", command="migrate", actor="test", started_at=datetime.now(UTC), to_revision=("r1",))
    with dialect.connect(url) as connection:
        dialect.record_run(connection, blank)  # makes the ledger
        validated = Run(
            id="1",
            command="migrate",
            actor="test",
            started_at=datetime.now(UTC),
            result="applied",
            to_revision=("r1",),
            watermark=dialect.read_watermark(connection, TABLE) if with_watermark else None,
            fingerprint=dialect.read_fingerprint(connection, TABLE),
        )
        dialect.record_run(connection, validated)


def role_of(url: DatabaseUrl) -> str:
    return urlsplit(url.text).username or ""


def rename(url: DatabaseUrl, role: str, name: str) -> None:
    run(url, sql.SQL("ALTER ROLE {} RENAME TO {}").format(sql.Identifier(role), sql.Identifier(name)))


def run(url: DatabaseUrl, statement: str | sql.Composed) -> None:
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        connection.execute(statement.encode() if isinstance(statement, str) else statement)


def read(url: DatabaseUrl) -> str:
    with PostgreSQL().connect(url, read_only=True) as connection:
        return PostgreSQL().read_watermark(connection, TABLE) or ""


def is_untouched(url: DatabaseUrl, watermark: str) -> bool:
    with PostgreSQL().connect(url, read_only=True) as connection:
        return PostgreSQL().is_untouched(connection, TABLE, watermark)
