"""Repairs of rows in SQLite: rows are told apart by their rowid, and nobody else writes meanwhile."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from govern.core.identifiers import quote, quote_place
from govern.database.row_spelling import RowTable, RowTransaction
from govern.database.sqlite import server
from govern.database.sqlite.folding import fold
from govern.database.sqlite.table_shapes import read_table_shapes
from govern.database.sqlite.time_limit import within
from govern.errors import CouldNotCheck, Refused

if TYPE_CHECKING:
    from govern.core.restoration import Place
    from govern.core.row_repair import Action, MovedSequence
    from govern.core.rows import SequencePosition
    from govern.core.table_shape import TableShape
    from govern.database.connection import Connection
    from govern.database.url import DatabaseUrl
    from govern.database.version_table import VersionTable

_MARKS = "temp.govern_marked"
_CREATE_MARKS = """
CREATE TEMPORARY TABLE govern_marked (number INTEGER, part INTEGER, id INTEGER, PRIMARY KEY (number, part, id))
"""
_RECORDS = "govern_backup_runs"
_CREATE_RECORDS = """
CREATE TABLE IF NOT EXISTS govern_backup_runs (
    position INTEGER PRIMARY KEY, run TEXT UNIQUE NOT NULL, record TEXT NOT NULL
)
"""
_SCHEMAS = "govern_backup_schemas"
_CREATE_SCHEMAS = """
CREATE TABLE IF NOT EXISTS govern_backup_schemas (run TEXT, name TEXT, content BLOB NOT NULL, PRIMARY KEY (run, name))
"""
_HAS_RECORDS = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'govern_backup_runs')"
_TYPES = "SELECT name, type FROM pragma_table_xinfo(?)"
_TRIGGERS = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?) ORDER BY name"
)
_EVENT = re.compile(r"\b(DELETE|INSERT|UPDATE)\b(?:\s+OF\b.*?)?\s+ON\b", re.IGNORECASE | re.DOTALL)


@contextmanager
def working_on_rows(
    url: DatabaseUrl, table: VersionTable, *, read_only: bool, seconds: float | None = None
) -> Iterator[RowTransaction]:
    """See ``govern.database.dialect.Dialect``."""
    with server.connect(url, read_only=read_only) as connection, _explained():
        connection.execute(_CREATE_MARKS)
        if seconds is not None:
            with within(connection, seconds), connection.transaction():
                yield RowTransaction(connection, SQLiteSpelling(table))
            return
        with connection.transaction():
            yield RowTransaction(connection, SQLiteSpelling(table))


class SQLiteSpelling:
    """See ``govern.database.row_spelling.Spelling``."""

    marks = _MARKS
    records = _RECORDS
    schemas = _SCHEMAS
    create_schemas = _CREATE_SCHEMAS
    placeholder = "?"
    copied_type = ""
    equal = "IS"
    equal_key = "IS"
    overriding = ""

    def __init__(self, table: VersionTable) -> None:
        self._table = table

    def read_tables(self, connection: Connection) -> Mapping[Place, RowTable]:
        return {
            place: RowTable(
                shape=shape,
                types={
                    name: kind for name, kind in connection.rows(_TYPES, place[1:]) if name in shape.columns
                },
                triggers=tuple(_read_triggers(connection, place)),
                obstacle=_find_obstacle(connection, shape),
            )
            for place, shape in read_table_shapes(connection, self._table).items()
        }

    def lock(self, connection: Connection, places: Sequence[Place]) -> None:
        del connection, places  # the file is

    def identify(self, alias: str) -> str:
        return f"0, {alias}.rowid"

    def is_marked(self, alias: str, numbers: Sequence[int]) -> str:
        if not numbers:
            return "1 = 0"
        listed = ", ".join(map(str, numbers))
        return f"{alias}.rowid IN (SELECT id FROM {_MARKS} WHERE number IN ({listed}))"  # noqa: S608 - numbers

    def require_query(self, connection: Connection, query: str) -> None:
        connection.rows(query)  # sqlite3 takes one statement at a time

    def insert_marked(
        self, connection: Connection, place: Place, columns: Sequence[str], query: str, number: int
    ) -> None:
        listed = ", ".join(map(quote, columns))
        rows = connection.rows(f"INSERT INTO {quote_place(place)} ({listed}) {query} RETURNING rowid")
        driver: Any = connection.driver
        driver.executemany(f"INSERT INTO {_MARKS} VALUES ({number}, 0, ?)", rows)  # noqa: S608 - a constant

    def prepare_records(self, connection: Connection) -> None:
        connection.execute(_CREATE_RECORDS)

    def has_records(self, connection: Connection) -> bool:
        return bool(connection.value(_HAS_RECORDS))

    def copy_of(self, run: str, number: int) -> str:
        return quote(f"govern_backup_{run}_{number}")

    def measure(self, connection: Connection, copy: str) -> int:
        """Of its values: which pages they are on, not every SQLite tells."""
        columns = connection.name_columns(f"SELECT * FROM {copy} LIMIT 0")  # noqa: S608 - quoted
        each = " + ".join(f"coalesce(length(CAST({quote(name)} AS BLOB)), 0)" for name in columns)
        return int(connection.value(f"SELECT coalesce(sum({each}), 0) FROM {copy}"))  # noqa: S608 - quoted

    def store(self, column: str) -> str:
        return column

    def restore(self, copied: str, kind: str) -> str:
        del kind  # it is the value itself
        return copied

    def is_as_copied(self, column: str, copied: str) -> str:
        """A collation, and a number that is both whole and real, are equal in more than one way."""
        return (
            f"({column} IS {copied} AND typeof({column}) = typeof({copied}) "
            f"AND CAST({column} AS BLOB) IS CAST({copied} AS BLOB))"
        )

    def silence_triggers(self, connection: Connection) -> bool:
        """Foreign keys are off in every connection of ours; triggers cannot be."""
        del connection
        return False

    def move_sequence(self, connection: Connection, position: SequencePosition) -> MovedSequence:
        del connection
        raise Refused(f"SQLite numbers {position.column} by the largest there is", why="it has no sequences")

    def move_back(self, connection: Connection, moved: MovedSequence) -> bool:
        del connection, moved
        return False


def _find_obstacle(connection: Connection, shape: TableShape) -> str | None:
    names = {fold(name) for (name, _) in connection.rows(_TYPES, shape.place[1:])}
    if "rowid" in names:
        return "a column of it is called rowid"
    try:
        connection.rows(f"SELECT rowid FROM {quote_place(shape.place)} LIMIT 0")  # noqa: S608 - quoted
    except sqlite3.OperationalError:
        return "it is WITHOUT ROWID"
    return None


def _read_triggers(connection: Connection, place: Place) -> Iterator[tuple[str, frozenset[Action]]]:
    events: Mapping[str, Action] = {"delete": "delete", "insert": "insert", "update": "update"}
    for name, text in connection.rows(_TRIGGERS, place[1:]):
        found = _EVENT.search(text.partition(name)[2])
        yield name, frozenset({events[found[1].lower()]} if found else events.values())


@contextmanager
def _explained() -> Iterator[None]:
    """What SQLite says, as errors of govern; all was rolled back."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            raise CouldNotCheck(
                "the time for looking at rows was over",
                why="it was asked to end",
                next="give it more, an index for what it asks, or a time with less to do",
            ) from error
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            raise CouldNotCheck(
                "the rows could not be repaired", why=str(error), next="free some space and run again"
            ) from error
        raise Refused(
            "the database says no to the repair",
            why=str(error),
            next="correct the SQL of the repair in the manifest, or what the message is about",
        ) from error
