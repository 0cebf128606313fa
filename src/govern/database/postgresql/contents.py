"""What tables hold, as digests computed in the server: two databases of it are compared without moving rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import sql

from govern.core.contents import Contents
from govern.core.restoration import Place, TableDigest
from govern.database.postgresql.parallelism import choose_jobs, measure_database
from govern.database.postgresql.session_limits import CHECK_CLIENT
from govern.errors import NotPermitted

if TYPE_CHECKING:
    from govern.core.snapshot import ColumnOrder
    from govern.database.connection import Connection
    from govern.database.keeping import OpenConnection
    from govern.database.version_table import VersionTable

BY_COLUMN = "postgresql-columns-1"
"""Each column hashed as it is stored, where equal hashes mean equal bytes, else as its text."""
BY_TEXT = "postgresql-text-1"
"""Each row hashed as its text: what every major can do, and tables with different types compare by."""
_HASHES_RECORDS = 14  # the first major that has hash_record_extended

# of a partitioned table the partitions have the rows; an extension's own tables come with the extension; what is
# generated is not in a dump
_TABLES = """
SELECT n.nspname::text, c.relname::text, array(
  SELECT a.attname::text FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum
), array(
  SELECT a.atttypid::text FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum
)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'govern', 'govern_backup')
  AND n.nspname = coalesce(%s, n.nspname) AND (c.relname <> %s OR n.nspname <> coalesce(%s, n.nspname))
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY {order}
"""
# the server leaves nothing out in silence where row_security is off: it says no, which is better said at once
_UNREADABLE = """
SELECT n.nspname::text, c.relname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND n.nspname = coalesce(%s, n.nspname)
  AND (pg_catalog.row_security_active(c.oid) OR NOT pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY 1, 2
"""
_BY_NAME = "1, 2"
_LARGEST_FIRST = "pg_catalog.pg_table_size(c.oid) DESC, 1, 2"
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# what a value's text depends on; a database can have settings of its own
_SETTINGS = {
    "row_security": "off",
    "statement_timeout": "0",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "search_path": "",
    "jit": "off",
}
# not t::text, which is the column t where there is one
_TEXT_HASH = 'pg_catalog.hashtextextended(ROW(t.*)::text COLLATE pg_catalog."C", 0)'
# a record's hash is a sum over its columns, and blind to values that changed places among rows: so it is hashed again
_COLUMN_HASH = "pg_catalog.hashint8extended(pg_catalog.hash_record_extended(ROW({values}), 0), 0)"
_DIGEST = "SELECT count(*), coalesce(sum({hash}), 0)::text FROM (SELECT {columns} FROM ONLY {table}) AS t"
_HASHES = "SELECT {hash} FROM (SELECT {columns} FROM ONLY {table}) AS t ORDER BY 1"
_ROWS_A_FETCH = 10_000

_AS_STORED = frozenset({"17", "20", "21", "23", "26", "1082", "1083", "1114", "1184", "2950"})
"""Types by their number (pg_type.dat) whose hashes are of their bytes: bytea, int8, int2, int4, oid, date, time,
timestamp, timestamptz, uuid. Not numeric (1.0 is 1.00), float (0 is -0), enum (hashes its number), bpchar (drops
spaces), interval (a month is 30 days)."""
_AS_LETTERS = frozenset({"25", "1043", "114", "700", "701", "1700", "3802"})
"""text, varchar, json, float4, float8, numeric, jsonb: their cast to text is what they are written as."""


class _Table(NamedTuple):
    place: Place
    columns: tuple[str, ...]
    types: tuple[str, ...]


def read_tables(connection: Connection, table: VersionTable) -> ColumnOrder:
    """The tables that have rows of their own, but for Alembic's version ``table`` and govern's."""
    return {found.place: found.columns for found in _find_tables(connection, table, _BY_NAME)}


def require_readable(connection: Connection) -> None:
    """Raises NotPermitted in the server's words where the role may not read every row of every table."""
    for place in connection.rows(_UNREADABLE, (connection.schema,)):
        with _permission_to_read(place):
            connection.rows(sql.SQL("SELECT FROM ONLY {} LIMIT 0").format(sql.Identifier(*place)))


def digest_contents(
    connection: Connection,
    open_another: OpenConnection,
    table: VersionTable,
    *,
    jobs: int,
    algorithm: str | None,
    on_rows: Callable[[int], None],
) -> Contents | None:
    """The rows of every table, the largest first, on ``jobs`` connections at once; the others: see the dialect.

    Raises NotPermitted where the role may not read every row of a table.
    """
    algorithm = algorithm or _choose_algorithm(connection)
    if algorithm not in _QUERIES:
        return None
    tables = _find_tables(connection, table, _LARGEST_FIRST)
    jobs = choose_jobs(connection, jobs, measure_database(connection))
    crew = _Crew(open_another, tables, _QUERIES[algorithm], on_rows)
    return Contents(algorithm=algorithm, tables=crew.work(connection, jobs))


def digest_tables(connection: Connection, columns: ColumnOrder) -> Mapping[Place, TableDigest]:
    """Of each table its rows over these columns, all at one moment. Raises NotPermitted."""
    with _reading(connection):
        return {
            place: _digest(connection, place, _fill(_DIGEST, place, names))
            for place, names in columns.items()
        }


def read_row_hashes(connection: Connection, place: Place, columns: tuple[str, ...]) -> Iterator[int]:
    """A number for each row, ascending; sorted by the server and fetched bit by bit."""
    driver: Any = connection.driver
    with _reading(connection), _permission_to_read(place), driver.cursor(name="govern_hashes") as cursor:
        cursor.itersize = _ROWS_A_FETCH
        cursor.execute(_fill(_HASHES, place, columns))
        for (number,) in cursor:
            yield number


class _Crew:
    """Connections that share the tables among them. When one fails, or nobody waits any more, all stop."""

    def __init__(
        self,
        open_connection: OpenConnection,
        tables: Iterable[_Table],
        query: Callable[[_Table], sql.Composable],
        on_rows: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._open_connection = open_connection
        self._waiting = deque(tables)
        self._query = query
        self._on_rows = on_rows
        self._working: list[Connection] = []
        self._done: dict[Place, TableDigest] = {}
        self._failure: Exception | None = None
        """The first one: those that it stopped fail, too."""

    def work(self, connection: Connection, jobs: int) -> Mapping[Place, TableDigest]:
        with ThreadPoolExecutor(max(1, jobs - 1)) as threads:
            helping = [threads.submit(self._help) for _ in range(jobs - 1)]
            try:
                self._work_on(connection)
                for helper in helping:
                    helper.result()
            except BaseException as error:
                self._stop()
                raise self._failure or error from None
        return self._done

    def _help(self) -> None:
        with self._open_connection() as connection:
            self._work_on(connection)

    def _work_on(self, connection: Connection) -> None:
        self._working.append(connection)
        try:
            with _reading(connection):
                connection.rows(CHECK_CLIENT)
                while self._waiting:
                    with suppress(IndexError):  # another took the last one
                        table = self._waiting.popleft()
                        digest = _digest(connection, table.place, self._query(table))
                        self._done[table.place] = digest
                        self._on_rows(digest.rows)
        except Exception as error:
            self._failure = self._failure or error
            self._stop()
            raise

    def _stop(self) -> None:
        self._waiting.clear()
        for connection in self._working:
            driver: Any = connection.driver
            with suppress(psycopg.Error):
                driver.cancel_safe(timeout=5)


def _find_tables(connection: Connection, table: VersionTable, order: str) -> Iterator[_Table]:
    for namespace, name, columns, types in connection.rows(
        _TABLES.format(order=order), (table.home, table.name, table.namespace)
    ):
        yield _Table((namespace, name), tuple(columns), tuple(types))


def _choose_algorithm(connection: Connection) -> str:
    number = int(connection.value("SELECT pg_catalog.current_setting('server_version_num')"))
    return BY_COLUMN if number >= _HASHES_RECORDS * 10_000 else BY_TEXT


def _digest(connection: Connection, place: Place, query: sql.Composable) -> TableDigest:
    with _permission_to_read(place):
        ((rows, checksum),) = connection.rows(query)
    return TableDigest(int(rows), str(checksum))


def _digest_by_text(table: _Table) -> sql.Composable:
    return _fill(_DIGEST, table.place, tuple(sorted(table.columns)))


def _digest_by_column(table: _Table) -> sql.Composable:
    """In the order of the columns' names: a restore may put inherited columns into another one."""
    columns = tuple(sorted(zip(table.columns, table.types, strict=True)))
    values = [_as_hashed(name, kind) for name, kind in columns if kind in _AS_STORED | _AS_LETTERS]
    others = [sql.Identifier(name) for name, kind in columns if kind not in _AS_STORED | _AS_LETTERS]
    if others:
        values.append(sql.SQL('ROW({})::text COLLATE pg_catalog."C"').format(sql.SQL(", ").join(others)))
    hashed = sql.SQL(_COLUMN_HASH).format(values=sql.SQL(", ").join(values))
    return _fill(_DIGEST, table.place, table.columns, hashed)


def _as_hashed(name: str, kind: str) -> sql.Composable:
    shape = '{}::text COLLATE pg_catalog."C"' if kind in _AS_LETTERS else "{}"
    return sql.SQL(shape).format(sql.Identifier(name))


_QUERIES: Mapping[str, Callable[[_Table], sql.Composable]] = {
    BY_COLUMN: _digest_by_column,
    BY_TEXT: _digest_by_text,
}


def _fill(
    query: str, place: Place, columns: Sequence[str], row_hash: sql.Composable | None = None
) -> sql.Composable:
    return sql.SQL(query).format(
        hash=row_hash or sql.SQL(_TEXT_HASH),
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
            next="use a role that may read every row: the owner, or a superuser (BYPASSRLS under row security)",
        ) from error
