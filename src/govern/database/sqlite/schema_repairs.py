"""Repairs of the schema in SQLite: the file is locked as a whole, so that all is one stage."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from govern.core.identifiers import quote
from govern.core.schema_repair import KeptValues, Stage
from govern.core.snapshot import parts_of, split_name
from govern.database.row_spelling import RowTransaction
from govern.database.schema_work import BrokenIndex
from govern.database.sqlite import conversions, server
from govern.database.sqlite.row_repairs import SQLiteSpelling
from govern.errors import FailedMidway, HeldUp

if TYPE_CHECKING:
    from govern.core.changes import Change
    from govern.core.conversion import Conversion, Proof
    from govern.database.connection import Connection
    from govern.database.url import DatabaseUrl
    from govern.database.version_table import VersionTable

_IN_THE_TEXT = ("column", "constraint")
_INDEXES = """
SELECT tbl_name, name FROM sqlite_master
WHERE type = 'index' AND name NOT GLOB 'sqlite_*' AND tbl_name NOT GLOB 'govern_*' ORDER BY 1, 2
"""
_BROKEN = re.compile(
    r"(?:row \d+ missing from index|wrong # of entries in index|non-unique entry in index) (.+)"
)


class SQLiteSchemaWork:
    """See ``govern.database.schema_work.SchemaWork``."""

    def arrange(self, statements: Sequence[str]) -> tuple[Stage, ...]:
        return (Stage(statements=tuple(statements)),) if statements else ()

    def complete(self, chosen: Sequence[Change], changes: Sequence[Change]) -> tuple[Change, ...]:
        """A table is one text: what is in it is made anew together."""
        tables = {parts_of(one.key)[0] for one in chosen if one.key.kind in _IN_THE_TEXT}
        return tuple(
            one
            for one in changes
            if one in chosen or (one.key.kind in _IN_THE_TEXT and parts_of(one.key)[0] in tables)
        )

    @contextmanager
    def working(
        self, url: DatabaseUrl, table: VersionTable, *, lock_timeout_seconds: float
    ) -> Iterator[RowTransaction]:
        with (
            self.working_alone(url, lock_timeout_seconds=lock_timeout_seconds) as connection,
            _explained(),
            connection.transaction(),
        ):
            yield RowTransaction(connection, SQLiteSpelling(table))

    @contextmanager
    def working_alone(self, url: DatabaseUrl, *, lock_timeout_seconds: float) -> Iterator[Connection]:
        with server.connect(url, busy_timeout_seconds=lock_timeout_seconds) as connection:
            yield connection

    def drop_leftovers(self, connection: Connection, statement: str) -> tuple[str, ...]:
        del connection, statement
        return ()

    def find_broken_indexes(self, connection: Connection) -> tuple[BrokenIndex, ...]:
        said = (_BROKEN.fullmatch(text) for (text,) in connection.rows("PRAGMA integrity_check"))
        names = {found[1] for found in said if found}
        return tuple(one for one in _read_indexes(connection) if one.name in names)

    def find_index(self, connection: Connection, name: str) -> BrokenIndex | None:
        wanted = split_name(name)
        for one in _read_indexes(connection):
            if wanted in ((one.name,), (one.place[1], one.name)):
                return one
        return None

    def read_locks(self, connection: Connection) -> tuple[str, ...]:
        del connection
        return ()

    def cast(self, column: str, was: str, to: str) -> str:
        return conversions.cast(column, was, to)

    def prove(self, url: DatabaseUrl, conversion: Conversion, key: Sequence[str], *, examples: int) -> Proof:
        return conversions.prove(url, conversion, key, examples=examples)

    def keep_values(
        self, work: RowTransaction, run: str, kept: KeptValues, converted: Sequence[Conversion]
    ) -> None:
        conversions.keep_values(work, run, kept, converted)

    def give_back(self, run: str, kept: KeptValues) -> str:
        return conversions.give_back(run, kept)

    def forget_values(self, work: RowTransaction, run: str, kept: KeptValues) -> None:
        work.connection.execute(f"DROP TABLE {work.spelling.copy_of(run, kept.number)}")


def _read_indexes(connection: Connection) -> list[BrokenIndex]:
    return [
        BrokenIndex(place=("", table), name=name, rebuilding=f"REINDEX {quote(name)}")
        for table, name in connection.rows(_INDEXES)
    ]


@contextmanager
def _explained() -> Iterator[None]:
    """What SQLite says, as errors of govern; all was rolled back."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise HeldUp(
                "the database is held by somebody else",
                why=str(error),
                next="wait for that process, or end it, and run again",
            ) from error
        raise FailedMidway(
            "the database says no to the repair",
            why=str(error),
            next="see to what it names, and run govern repair plan again",
            state="the statement that failed was rolled back, and what was committed before it stands",
        ) from error
