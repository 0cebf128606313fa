"""Checksums of what tables hold: the same after a dump and a restore, others after the smallest change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import psycopg
import pytest

from govern.core.contents import Contents
from govern.core.restoration import TableDigest
from govern.database.connection import Connection
from govern.database.engines import dialect_of
from govern.database.postgresql import contents, parallelism
from govern.database.postgresql.contents import BY_COLUMN, BY_TEXT
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import NotPermitted
from tests.fixtures.databases import MakeDatabase, MakeRole
from tests.fixtures.server import wanted_major

KINDS = r"""
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN short AS varchar(3);
CREATE DOMAIN price AS numeric;
CREATE TABLE kinds (
  id bigint PRIMARY KEY, i2 smallint, i4 integer, b boolean, u uuid, d date, t time, tz timetz, ts timestamp,
  tstz timestamptz, raw bytea, txt text, vc varchar(20), bp char(5), free bpchar, n numeric, m money, f4 real,
  f8 double precision, e mood, p pair, j json, jb jsonb, ia integer[], ea mood[], s short, pr price, iv interval,
  ip inet, r int4range, bits bit(3), c "char", name name, v tsvector, cls regclass
);
INSERT INTO kinds VALUES
  (1, 1, 1, true, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2026-11-21', '12:00', '12:00+02', '2026-11-21 12:00',
   '2026-11-21 12:00+02', '\x00ff', 'ü', 'v', 'bp', 'free', 1.0, 12.5, 0.1, 0, 'sad', (1, 'x'), '{"a":  1}',
   '{"a": 1}', '{1,2}', '{sad,happy}', 's', 1.10, '30 days', '10.0.0.1/32', '[1,3)', B'101', 'c', 'n',
   'fox:1', 'kinds'),
  (3, 2, 3, false, 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'infinity', '13:00', '13:00-02', '-infinity',
   'infinity', '', '', '', '', '', 'NaN', -12.5, '-Infinity', 'NaN', 'happy', (NULL, ''), 'null', 'null', '{}',
   '{}', '', 0, '1 month', '::1', 'empty', B'010', '', '', '', 'pg_class');
"""
SHAPES = """
INSERT INTO kinds (id) VALUES (2);
CREATE TABLE counted (a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO counted VALUES (1), (2);
CREATE TABLE parted (at date NOT NULL, n integer) PARTITION BY RANGE (at);
CREATE TABLE parted_2026 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE odd (n integer, at date NOT NULL);
ALTER TABLE parted ATTACH PARTITION odd FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
INSERT INTO parted VALUES ('2026-05-01', 1), ('2027-05-01', 2);
CREATE TABLE parent (a integer);
CREATE TABLE child (own text) INHERITS (parent);
ALTER TABLE parent ADD COLUMN later text;
INSERT INTO parent VALUES (1, 'parent');
INSERT INTO child VALUES (1, 'own', 'child');
CREATE UNLOGGED TABLE unlogged (n integer);
INSERT INTO unlogged VALUES (1);
CREATE TABLE guarded (n integer);
INSERT INTO guarded VALUES (1);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE bare (n integer);
CREATE SCHEMA "we;ird ""x";
CREATE TABLE "we;ird ""x"."--; %s ö" ("a""b" integer, "%s" text);
INSERT INTO "we;ird ""x"."--; %s ö" VALUES (1, '%');
CREATE TABLE dropped (gone integer, stays integer);
INSERT INTO dropped VALUES (1, 2);
ALTER TABLE dropped DROP COLUMN gone;
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('3f2a');
"""
CHANGES = (
    "UPDATE kinds SET i4 = 2 WHERE id = 1",
    "UPDATE kinds SET b = NOT b WHERE id = 1",
    "UPDATE kinds SET ts = ts + interval '1 microsecond' WHERE id = 1",
    "UPDATE kinds SET tz = '11:00+01' WHERE id = 1",
    r"UPDATE kinds SET raw = '\x00fe' WHERE id = 1",
    "UPDATE kinds SET txt = 'u' || U&'\\0308' WHERE id = 1",
    "UPDATE kinds SET txt = NULL WHERE id = 3",
    "UPDATE kinds SET free = 'free ' WHERE id = 1",
    "UPDATE kinds SET n = 1.00 WHERE id = 1",
    "UPDATE kinds SET pr = 1.1 WHERE id = 1",
    "UPDATE kinds SET f8 = '-0' WHERE id = 1",
    "UPDATE kinds SET e = 'happy' WHERE id = 1",
    "UPDATE kinds SET p = (1, NULL) WHERE id = 1",
    """UPDATE kinds SET j = '{"a": 1}' WHERE id = 1""",
    "UPDATE kinds SET ia = '[0:1]={1,2}' WHERE id = 1",
    "UPDATE kinds SET iv = '1 month' WHERE id = 1",
    "UPDATE kinds SET iv = '720 hours' WHERE id = 1",
    "UPDATE kinds SET m = 12.51 WHERE id = 1",
    # the same values in other rows, other columns, and as many rows as before
    "UPDATE kinds SET txt = CASE id WHEN 1 THEN '' ELSE 'ü' END WHERE id IN (1, 3)",
    "UPDATE kinds SET i2 = i4, i4 = i2 WHERE id = 3",
    "UPDATE kinds SET id = 4 WHERE id = 2",
    "DELETE FROM guarded; INSERT INTO guarded VALUES (2)",
    "INSERT INTO nothing DEFAULT VALUES",
    "INSERT INTO odd VALUES (2, '2027-05-01')",
    "UPDATE child SET later = own, own = later",
)
SILENT = (
    "UPDATE kinds SET id = id",
    "DELETE FROM counted; INSERT INTO counted VALUES (2), (1)",
    "UPDATE alembic_version SET version_num = '9b1c'",
)


@pytest.fixture
def filled(postgresql_database: DatabaseUrl) -> DatabaseUrl:
    run(postgresql_database, KINDS + SHAPES)
    return postgresql_database


@pytest.mark.parametrize("algorithm", [BY_COLUMN, BY_TEXT])
def test_a_dump_and_a_restore_change_no_checksum(
    filled: DatabaseUrl,
    make_postgresql_database: MakeDatabase,
    tmp_path: Path,
    algorithm: str,
    pytestconfig: pytest.Config,
) -> None:
    """Of any type, of generated columns and such as stand in another order then, of partitions and of no columns.

    The restored database has settings of its own, which decide how values are written.
    """
    require(algorithm, pytestconfig)
    dialect = dialect_of(filled)
    copy = make_postgresql_database("template0")
    (tmp_path / "dump").mkdir()
    dialect.dump(filled, tmp_path / "dump")
    dialect.restore(tmp_path / "dump", copy)
    run(
        copy,
        f'ALTER DATABASE "{copy.database}" SET DateStyle = german;'
        f'ALTER DATABASE "{copy.database}" SET TimeZone = "Asia/Tokyo";'
        f'ALTER DATABASE "{copy.database}" SET IntervalStyle = sql_standard;'
        f'ALTER DATABASE "{copy.database}" SET extra_float_digits = -3;'
        f'ALTER DATABASE "{copy.database}" SET bytea_output = escape',
    )
    before, after = digest(filled, algorithm=algorithm), digest(copy, algorithm=algorithm)
    assert after == before
    assert before.algorithm == algorithm
    names = {name for _, name in before.tables}
    assert names >= {
        "kinds",
        "counted",
        "parted_2026",
        "odd",
        "parent",
        "child",
        "unlogged",
        "guarded",
        "nothing",
    }
    assert not names & {"parted", "alembic_version"}
    assert before.tables["public", "parent"].rows == 1
    assert before.tables["public", "bare"] == TableDigest(0, "0")


@pytest.mark.parametrize("algorithm", [BY_COLUMN, BY_TEXT])
def test_every_changed_value_changes_a_checksum(
    filled: DatabaseUrl, algorithm: str, pytestconfig: pytest.Config
) -> None:
    require(algorithm, pytestconfig)
    before = digest(filled, algorithm=algorithm)
    unseen = [change for change in CHANGES if digest_changed(filled, change, algorithm) == before]
    assert unseen == []
    assert [change for change in SILENT if digest_changed(filled, change, algorithm) != before] == []


def test_the_fastest_algorithm_of_the_server_is_chosen_and_an_unknown_one_is_not_guessed(
    postgresql_database: DatabaseUrl, pytestconfig: pytest.Config
) -> None:
    chosen = digest(postgresql_database).algorithm
    assert chosen == (BY_COLUMN if wanted_major(pytestconfig) >= 14 else BY_TEXT)
    dialect = dialect_of(postgresql_database)
    with dialect.connect(postgresql_database) as connection:
        answer = dialect.digest_contents(
            connection, nobody, VersionTable(), algorithm="postgresql-columns-99"
        )
    assert answer is None


def test_several_connections_find_what_one_does(filled: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = digest(filled)
    monkeypatch.setattr(parallelism, "_WORTHWHILE_BYTES", 0)
    opened: list[None] = []
    assert digest(filled, jobs=3, opened=lambda: opened.append(None)) == alone
    assert len(opened) == 2, "beside the one that is open already"


def test_when_one_connection_may_not_read_a_table_all_stop(
    filled: DatabaseUrl, make_role: MakeRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others would be busy for a minute."""
    monkeypatch.setattr(parallelism, "_WORTHWHILE_BYTES", 0)
    slow = "CREATE FUNCTION slow() RETURNS text LANGUAGE sql AS $$ SELECT 'x' FROM pg_sleep(60) $$"
    run(filled, f"{slow}; CREATE VIEW waiting AS SELECT slow() AS s")
    login = make_role("nosy", "s3cret").with_database(filled.database)
    role = psycopg.conninfo.conninfo_to_dict(login.conninfo)["user"]
    run(
        filled,
        f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{role}"; REVOKE SELECT ON bare FROM "{role}"',
    )
    tables = [
        contents._Table(("public", "waiting"), ("s",), ("25",)),
        contents._Table(("public", "bare"), ("n",), ("23",)),
    ]
    dialect = dialect_of(login)
    as_text = contents._QUERIES[BY_TEXT]

    def query(table: contents._Table) -> psycopg.sql.Composable:
        if table.place[1] == "waiting":
            return psycopg.sql.SQL("SELECT count(*), max(s) FROM public.waiting")
        return as_text(table)

    crew = contents._Crew(lambda: dialect.connect(login), tables, query)
    with dialect.connect(login) as connection, pytest.raises(NotPermitted, match="bare"):
        crew.work(connection, 2)
    run(filled, f'DROP OWNED BY "{role}"')


def nobody() -> AbstractContextManager[Connection]:
    raise AssertionError("one connection is enough for a small database")


def require(algorithm: str, pytestconfig: pytest.Config) -> None:
    if algorithm == BY_COLUMN and wanted_major(pytestconfig) < 14:
        pytest.skip("PostgreSQL 13 has no hash of records")


def digest(
    url: DatabaseUrl,
    *,
    jobs: int = 1,
    algorithm: str | None = None,
    opened: Callable[[], None] = lambda: None,
) -> Contents:
    dialect = dialect_of(url)

    def connect() -> AbstractContextManager[Connection]:
        opened()
        return dialect.connect(url, read_only=True)

    with dialect.connect(url, read_only=True) as connection:
        found = dialect.digest_contents(connection, connect, VersionTable(), jobs=jobs, algorithm=algorithm)
    assert found is not None
    return found


def digest_changed(url: DatabaseUrl, change: str, algorithm: str) -> Contents:
    """As it would be after a change, which is taken back."""
    dialect = dialect_of(url)
    with dialect.connect(url) as connection, suppress(_TakenBack), connection.transaction():
        connection.execute(change)
        found = dialect.digest_contents(connection, nobody, VersionTable(), algorithm=algorithm)
        raise _TakenBack
    assert found is not None
    return found


class _TakenBack(Exception):
    """Rolls a transaction back."""


def run(url: DatabaseUrl, script: str) -> None:
    with psycopg.connect(url.conninfo, autocommit=True) as connection:
        connection.execute(script.encode())
