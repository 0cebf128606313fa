"""Repairs of rows in PostgreSQL: rows are told apart by where they lie, which holds as long as nobody else writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql

from govern.core.identifiers import quote, quote_place
from govern.core.restoration import Place
from govern.core.row_repair import Action, MovedSequence
from govern.core.rows import SequencePosition
from govern.database.connection import Connection
from govern.database.postgresql import server
from govern.database.postgresql.table_shapes import read_table_shapes
from govern.database.row_spelling import RowTable, RowTransaction
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import CouldNotCheck, NotPermitted, Refused

_BEGIN_PLANNING = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ WRITE"
_BEGIN_CHANGING = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"
# values are copied as their text, which these decide; a policy that hides rows is to be an error
SETTINGS = {
    "client_encoding": "UTF8",
    "row_security": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "10s",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "jit": "off",
}
_CANCEL_AGAIN_SECONDS = 0.05
"""What ends between two statements is asked to end once more."""
_MARKS = "pg_temp.govern_marked"
_CREATE_MARKS = """
CREATE TEMPORARY TABLE govern_marked (number integer, part oid, id tid, PRIMARY KEY (number, part, id))
ON COMMIT DROP
"""
_RECORDS = "govern_backup.runs"
_CREATE_RECORDS = (
    "CREATE SCHEMA IF NOT EXISTS govern_backup",
    "COMMENT ON SCHEMA govern_backup IS 'Rows that repairs of govern changed, for govern repair rollback'",
    """
    CREATE TABLE IF NOT EXISTS govern_backup.runs (
        run text PRIMARY KEY,
        position bigint GENERATED ALWAYS AS IDENTITY,
        record text NOT NULL
    )
    """,
)
_SCHEMAS = "govern_backup.schemas"
_CREATE_SCHEMAS = """
CREATE TABLE IF NOT EXISTS govern_backup.schemas (run text, name text, content bytea NOT NULL, PRIMARY KEY (run, name))
"""
_HAS_RECORDS = "SELECT pg_catalog.to_regclass('govern_backup.runs') IS NOT NULL"
# by the type alone: what a length does to a value, it did when that was stored
_TYPES = """
SELECT n.nspname::text, c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, -1),
  pg_catalog.format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attgenerated = '' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_INHERITED = """
SELECT n.nspname::text, c.relname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relhassubclass
  AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
"""
# bits of tgtype (pg_trigger.h): insert, delete, update
_TRIGGERS = """
SELECT n.nspname::text, c.relname::text, t.tgname::text, t.tgtype & 4 <> 0, t.tgtype & 8 <> 0, t.tgtype & 16 <> 0
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
ORDER BY 1, 2, 3
"""
_NEXT_VALUE = sql.SQL(
    "SELECT CASE WHEN is_called THEN last_value + {step} ELSE last_value END FROM {sequence}"
)
_STEP = """
SELECT q.seqincrement FROM pg_catalog.pg_sequence q
JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""
_RESTART = sql.SQL("ALTER SEQUENCE {sequence} RESTART WITH {next}")


@contextmanager
def working_on_rows(
    url: DatabaseUrl, table: VersionTable, *, read_only: bool, seconds: float | None = None
) -> Iterator[RowTransaction]:
    """See ``govern.database.dialect.Dialect``."""
    with (
        server.connect(url) as connection,
        explained(connection),
        _cancelled_after(connection, seconds),
        connection.transaction(_BEGIN_PLANNING if read_only else _BEGIN_CHANGING),
    ):
        for name, value in SETTINGS.items():
            connection.rows("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
        connection.execute(_CREATE_MARKS)
        if read_only:
            connection.execute("SET TRANSACTION READ ONLY")  # but for temporary tables
        else:
            connection.execute("SET CONSTRAINTS ALL DEFERRED")
        yield RowTransaction(connection, PostgreSQLSpelling(table))
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


@contextmanager
def _cancelled_after(connection: Connection, seconds: float | None) -> Iterator[None]:
    """Asks the server to end what it does then; what is asked of it later gets no time at all."""
    if seconds is None:
        yield
        return
    driver: Any = connection.driver
    is_over = threading.Event()

    def cancel() -> None:
        while not is_over.wait(_CANCEL_AGAIN_SECONDS):
            with suppress(psycopg.Error):
                driver.cancel_safe(timeout=_CANCEL_AGAIN_SECONDS)

    timer = threading.Timer(max(0.0, seconds - _CANCEL_AGAIN_SECONDS), cancel)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        is_over.set()
        timer.cancel()
        timer.join()


class PostgreSQLSpelling:
    """See ``govern.database.row_spelling.Spelling``."""

    marks = _MARKS
    records = _RECORDS
    schemas = _SCHEMAS
    create_schemas = _CREATE_SCHEMAS
    placeholder = "%s"
    copied_type = "text"
    equal = "IS NOT DISTINCT FROM"
    equal_key = "="
    overriding = "OVERRIDING SYSTEM VALUE"

    def __init__(self, table: VersionTable) -> None:
        self._table = table
        self._casts: dict[str, str] = {}

    def read_tables(self, connection: Connection) -> Mapping[Place, RowTable]:
        types = self._read_types(connection)
        inherited = {(namespace, name) for namespace, name in connection.rows(_INHERITED)}
        triggers = _read_triggers(connection)
        return {
            place: RowTable(
                shape=shape,
                types=types.get(place, {}),
                triggers=triggers.get(place, ()),
                obstacle="other tables inherit from it" if place in inherited else None,
            )
            for place, shape in read_table_shapes(connection, self._table).items()
        }

    def _read_types(self, connection: Connection) -> Mapping[Place, dict[str, str]]:
        """As they are written whatever the search_path is, which is set back for the team's own SQL."""
        path = connection.value("SELECT pg_catalog.current_setting('search_path')")
        connection.rows("SELECT pg_catalog.set_config('search_path', '', true)")
        types: dict[Place, dict[str, str]] = {}
        for namespace, name, column, cast, kind in connection.rows(_TYPES):
            types.setdefault((namespace, name), {})[column] = kind
            self._casts[kind] = cast
        connection.rows("SELECT pg_catalog.set_config('search_path', %s, true)", (path,))
        return types

    def lock(self, connection: Connection, places: Sequence[Place]) -> None:
        if places:
            names = ", ".join(map(quote_place, places))
            connection.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")

    def identify(self, alias: str) -> str:
        return f"{alias}.tableoid, {alias}.ctid"

    def is_marked(self, alias: str, numbers: Sequence[int]) -> str:
        if not numbers:
            return "1 = 0"
        listed = ", ".join(map(str, numbers))
        return (
            f"({alias}.tableoid, {alias}.ctid) IN (SELECT part, id FROM {_MARKS} WHERE number IN ({listed}))"  # noqa: S608
        )

    def require_query(self, connection: Connection, query: str) -> None:
        driver: Any = connection.driver
        with driver.cursor() as cursor:
            cursor.execute(query, prepare=True)  # a prepared statement is one statement

    def insert_marked(
        self, connection: Connection, place: Place, columns: Sequence[str], query: str, number: int
    ) -> None:
        listed = ", ".join(map(quote, columns))
        connection.change(
            f"WITH new AS (INSERT INTO {quote_place(place)} ({listed}) {query} RETURNING tableoid, ctid) "  # noqa: S608
            f"INSERT INTO {_MARKS} SELECT {number}, tableoid, ctid FROM new"
        )

    def prepare_records(self, connection: Connection) -> None:
        if not self.has_records(connection):
            for statement in _CREATE_RECORDS:
                connection.execute(statement)

    def has_records(self, connection: Connection) -> bool:
        return bool(connection.value(_HAS_RECORDS))

    def copy_of(self, run: str, number: int) -> str:
        return quote_place(("govern_backup", f"{run}_{number}"))

    def measure(self, connection: Connection, copy: str) -> int:
        return int(connection.value("SELECT pg_catalog.pg_total_relation_size(%s::regclass)", (copy,)))

    def store(self, column: str) -> str:
        return f"CASE WHEN num_nulls({column}) = 0 THEN format('%s', {column}) END"

    def restore(self, copied: str, kind: str) -> str:
        return f"({copied})::{self._casts.get(kind, kind)}"

    def is_as_copied(self, column: str, copied: str) -> str:
        return f"{self.store(column)} IS NOT DISTINCT FROM {copied}"

    def silence_triggers(self, connection: Connection) -> bool:
        connection.execute("SAVEPOINT govern_silence")
        try:
            connection.rows("SELECT pg_catalog.set_config('session_replication_role', 'replica', true)")
        except psycopg.errors.InsufficientPrivilege:
            connection.execute("ROLLBACK TO SAVEPOINT govern_silence")
            return False
        return True

    def move_sequence(self, connection: Connection, position: SequencePosition) -> MovedSequence:
        step = int(connection.value(_STEP, position.sequence))
        before = self._next_value(connection, position.sequence, step)
        after = (position.largest or 0) + step
        self._restart(connection, position.sequence, after)
        return MovedSequence(sequence=position.sequence, before=before, after=after)

    def move_back(self, connection: Connection, moved: MovedSequence) -> bool:
        step = int(connection.value(_STEP, moved.sequence) or 0)
        if not step or self._next_value(connection, moved.sequence, step) != moved.after:
            return False
        self._restart(connection, moved.sequence, moved.before)
        return True

    def _next_value(self, connection: Connection, sequence: Place, step: int) -> int:
        query = _NEXT_VALUE.format(step=sql.Literal(step), sequence=sql.Identifier(*sequence))
        return int(connection.value(query))

    def _restart(self, connection: Connection, sequence: Place, next_value: int) -> None:
        """Which, unlike setval, a rollback takes back."""
        connection.execute(_RESTART.format(sequence=sql.Identifier(*sequence), next=sql.Literal(next_value)))


def _read_triggers(connection: Connection) -> Mapping[Place, tuple[tuple[str, frozenset[Action]], ...]]:
    found: dict[Place, tuple[tuple[str, frozenset[Action]], ...]] = {}
    for namespace, table, name, on_insert, on_delete, on_update in connection.rows(_TRIGGERS):
        fires: tuple[tuple[Action, bool], ...] = (
            ("insert", on_insert),
            ("delete", on_delete),
            ("update", on_update),
        )
        actions = frozenset(action for action, does in fires if does)
        found[namespace, table] = (*found.get((namespace, table), ()), (name, actions))
    return found


@contextmanager
def explained(connection: Connection) -> Iterator[None]:
    """What the server says, as errors of govern; all was rolled back."""
    driver: Any = connection.driver
    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        raise CouldNotCheck(
            "the time for looking at rows was over",
            why=error.diag.message_primary or str(error),
            next="give it more, an index for what it asks, or a time with less to do",
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            "the rows could not be repaired",
            why=error.diag.message_primary or str(error),
            next="repair as the owner of the tables; a plan needs the right TEMPORARY on the database, "
            "copies need CREATE, or the schema govern_backup",
        ) from error
    except psycopg.errors.LockNotAvailable as error:
        raise Refused(
            "a table that is to be repaired is held by somebody else",
            why=error.diag.message_primary or str(error),
            next="wait for that session, or end it, and run again: govern doctor --locks",
        ) from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise Refused(
            "the SQL of the repair writes",
            why=error.diag.message_primary or str(error),
            next="say in it which rows are meant, and nothing else",
        ) from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise Refused(
            "a foreign key says no to the repair",
            why=f"{error.diag.message_primary}: {error.diag.message_detail}",
            next="see to the rows that it names, in a repair of their own or by hand, and run it again; orphans "
            "are put back by a role that may set session_replication_role",
        ) from error
    except psycopg.errors.DiskFull as error:
        raise CouldNotCheck(
            "the rows could not be repaired",
            why=error.diag.message_primary or str(error),
            next="free some space on the database server and run again",
        ) from error
    except psycopg.Error as error:
        if driver.broken or error.diag.message_primary is None:
            raise
        raise Refused(
            "the database says no to the repair",
            why=error.diag.message_primary,
            next="correct the SQL of the repair in the manifest, or what the message is about",
        ) from error
