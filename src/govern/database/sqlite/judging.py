"""Statements as SQLite compiles them: EXPLAIN lists the program that would run, and runs none of it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from govern.core.objection import Objection, ObjectionKind

if TYPE_CHECKING:
    from govern.core.restoration import Place
    from govern.database.connection import Connection
    from govern.database.judging import Asked

_RELATIONS = "SELECT name FROM pragma_table_list WHERE schema = 'main'"
_COLUMNS = "SELECT name FROM pragma_table_xinfo(?)"
_REFUSALS: tuple[tuple[str, ObjectionKind], ...] = (
    (r"no such table: (\S+)", "undefined-table"),
    (r"no such view: (\S+)", "undefined-table"),
    (r"no such column: (\S+)", "undefined-column"),
    (r"table \S+ has no column named (\S+)", "undefined-column"),
    (r"no such function: (\S+)", "undefined-function"),
    (r"wrong number of arguments to function (\w+)", "undefined-function"),
    (r"near \"(.*)\": syntax error", "syntax"),
    (r"incomplete input()", "syntax"),
    (r"unrecognized token: \"(.*)\"?", "syntax"),
    (r"table \S+ has \d+ columns but \d+ values were supplied()", "wrong-type"),
)


def judge(connection: Connection, asked: Iterable[Asked]) -> list[Objection | None]:
    """See ``govern.database.judging``. SQLite compares text with numbers, so that types are no objection of its."""
    return [_judge(connection, sql, parameters) for sql, parameters in asked]


def look_in(connection: Connection, schemas: Sequence[str]) -> None:
    """See ``govern.database.judging``. SQLite has no schemas that a name is looked for in."""


def read_relations(connection: Connection) -> Mapping[Place, tuple[str, ...]]:
    """See ``govern.database.judging``."""
    names = [name for (name,) in connection.rows(_RELATIONS)]
    return {("", name): tuple(column for (column,) in connection.rows(_COLUMNS, (name,))) for name in names}


def read_search_path(_connection: Connection) -> tuple[str, ...]:
    """See ``govern.database.judging``."""
    return ("",)


def _judge(connection: Connection, sql: str, parameters: int) -> Objection | None:
    try:
        cursor = connection.driver.cursor()
        cursor.execute(f"EXPLAIN {sql}", dict.fromkeys(map(str, range(1, parameters + 1))))
        cursor.close()
    except sqlite3.Error as error:
        return _read_refusal(str(error), sql)
    return None


def _read_refusal(message: str, sql: str) -> Objection:
    for pattern, kind in _REFUSALS:
        if found := re.match(pattern, message):
            name = found[1]
            bare = name.rpartition(".")[2]
            place = re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", sql, re.IGNORECASE) if bare else None
            return Objection(kind=kind, message=message, name=name, offset=place.start() if place else None)
    return Objection(kind="other", message=message)
