"""What tables hold, as digests computed in the server: two databases of it are compared without moving rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from govern.core.restoration import Place, TableDigest
from govern.core.snapshot import ColumnOrder
from govern.database.connection import Connection
from govern.database.dialect import VersionTable
from govern.errors import NotPermitted

# of a partitioned table the partitions have the rows; an extension's own tables come with the extension
_TABLES = """
SELECT n.nspname::text, c.relname::text, array(
  SELECT a.attname::text FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'govern')
  AND (c.relname <> %s OR n.nspname <> coalesce(%s, n.nspname))
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY 1, 2
"""
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# a row is digested as its text, which these decide; a database can have settings of its own
_SETTINGS = {
    "row_security": "off",
    "statement_timeout": "0",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "search_path": "",
}
_HASH = "pg_catalog.hashtextextended(t::text COLLATE pg_catalog.\"C\", 0)"  # fmt: skip
_DIGEST = "SELECT count(*), coalesce(sum({hash}), 0)::text FROM (SELECT {columns} FROM ONLY {table}) AS t"
_HASHES = "SELECT {hash} FROM (SELECT {columns} FROM ONLY {table}) AS t ORDER BY 1"
_ROWS_A_FETCH = 10_000


def read_tables(connection: Connection, table: VersionTable) -> ColumnOrder:
    """The tables that have rows of their own, but for Alembic's version ``table`` and govern's."""
    rows = connection.rows(_TABLES, (table.name, table.namespace))
    return {(namespace, name): tuple(columns) for namespace, name, columns in rows}


def digest_tables(connection: Connection, columns: ColumnOrder) -> Mapping[Place, TableDigest]:
    """Of each table its rows over these columns, all at one moment. Raises NotPermitted."""
    digests = {}
    with _reading(connection):
        for place, names in columns.items():
            with _permission_to_read(place):
                ((rows, checksum),) = connection.rows(_fill(_DIGEST, place, names))
            digests[place] = TableDigest(int(rows), str(checksum))
    return digests


def read_row_hashes(connection: Connection, place: Place, columns: tuple[str, ...]) -> Iterator[int]:
    """A number for each row, ascending; sorted by the server and fetched bit by bit."""
    driver: Any = connection.driver
    with _reading(connection), _permission_to_read(place), driver.cursor(name="govern_hashes") as cursor:
        cursor.itersize = _ROWS_A_FETCH
        cursor.execute(_fill(_HASHES, place, columns))
        for (number,) in cursor:
            yield number


def _fill(query: str, place: Place, columns: tuple[str, ...]) -> sql.Composable:
    return sql.SQL(query).format(
        hash=sql.SQL(_HASH),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        table=sql.Identifier(*place),
    )


@contextmanager
def _reading(connection: Connection) -> Iterator[None]:
    with connection.transaction(_BEGIN):
        for name, value in _SETTINGS.items():
            connection.rows("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
        yield


@contextmanager
def _permission_to_read(place: Place) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            f"the rows of {'.'.join(place)} cannot be read",
            why=error.diag.message_primary or "the role may not read them",
            next="restore as a role that may read and write every row: the owner, or a superuser",
        ) from error
