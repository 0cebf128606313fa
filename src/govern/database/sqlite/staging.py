"""Rows from files, written into a scratch copy of the live schema.

SQLite keeps in a column whatever is written to it. So what a type takes is decided here, by the declared type and in
the form in which SQLAlchemy writes it.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from govern.core.coercion import read_date, read_moment
from govern.core.exports import BadCell, Column, Kind, StagedRow, Tables, cut_short
from govern.core.identifiers import quote

if TYPE_CHECKING:
    from govern.core.restoration import Place
    from govern.database.connection import Connection
    from govern.database.version_table import VersionTable

# hidden: 2 and 3 are generated columns (https://www.sqlite.org/pragma.html#pragma_table_xinfo)
_COLUMNS = """
SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c
WHERE m.type = 'table' AND c.hidden <> 1
ORDER BY m.name, c.cid
"""
_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"

# the first that is in the declared type's name decides, as SQLAlchemy's types are named
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("BOOL", "boolean"),
    ("JSON", "json"),
    ("DATETIME", "moment"),
    ("TIMESTAMP", "moment"),
    ("DATE", "date"),
    ("BLOB", "bytes"),
    ("BINARY", "bytes"),
    ("CHAR", "text"),
    ("CLOB", "text"),
    ("TEXT", "text"),
    ("REAL", "number"),
    ("FLOA", "number"),
    ("DOUB", "number"),
    ("NUM", "number"),
    ("DEC", "number"),
)
_INTEGER = re.compile(r"\b(?:TINY|SMALL|MEDIUM|BIG)?INT(?:EGER|2|4|8)?\b", re.I)
_UUID_LENGTH = re.compile(r"CHAR\s*\(\s*32\s*\)", re.I)
_BAD_ROWS = 20
"""So many are named of one table; then the rest is not looked at."""


def read_columns(connection: Connection, table: VersionTable) -> Tables:
    """Of every table that rows can be written to."""
    tables: dict[Place, list[Column]] = defaultdict(list)
    for name, column, declared, notnull, default, key, hidden in connection.rows(_COLUMNS):
        if name == table.name or name.startswith(("sqlite_", "govern_")):
            continue
        is_row_number = bool(key) and declared.upper() == "INTEGER"
        tables["", name].append(
            Column(
                name=column,
                type=declared,
                kind=_kind_of(declared),
                is_nullable=not notnull and not key,
                has_default=default is not None or is_row_number,
                is_computed=hidden in (2, 3),
                is_key=bool(key),
                max_length=32 if _UUID_LENGTH.search(declared) else None,
            )
        )
    return {place: tuple(columns) for place, columns in tables.items()}


def release_rows(connection: Connection) -> None:
    """Lets a scratch copy take rows in any order, and each as it is: no references, no triggers."""
    connection.execute("PRAGMA foreign_keys = OFF")
    for (name,) in connection.rows(_TRIGGERS):
        connection.execute(f"DROP TRIGGER {quote(name)}")


def stage_rows(
    connection: Connection, place: Place, columns: Sequence[Column], rows: Iterable[StagedRow]
) -> tuple[int, tuple[BadCell, ...]]:
    """Writes the rows, all or none; returns how many, and what is wrong with them.

    ``columns`` are those that the rows may have cells of; all others get their defaults.
    """
    bad: list[BadCell] = []
    count = 0
    try:
        with connection.transaction():
            for row in rows:
                bad += _stage_row(connection, place, columns, row)
                count += 1
                if len(bad) >= _BAD_ROWS:
                    break
            if bad:
                raise _Undone  # noqa: TRY301  what was written goes again
    except _Undone:
        return 0, tuple(bad)
    return count, ()


class _Undone(Exception):
    """Rows of the table do not fit: none is kept."""


def _stage_row(
    connection: Connection, place: Place, columns: Sequence[Column], row: StagedRow
) -> list[BadCell]:
    values: dict[str, Any] = {}
    for column in columns:
        if column.name not in row.cells:
            continue
        text = row.cells[column.name]
        try:
            values[column.name] = None if text is None else _convert(text, column)
        except ValueError as error:
            return [_bad(row, column.name, text, str(error))]
    names = ", ".join(map(quote, values))
    marks = ", ".join("?" for _ in values)
    written = f"({names}) VALUES ({marks})" if values else "DEFAULT VALUES"
    try:
        connection.execute(f"INSERT INTO {quote(place[1])} {written}", tuple(values.values()))
    except (sqlite3.Error, OverflowError) as error:
        return [_bad(row, None, None, str(error))]
    return []


def _bad(row: StagedRow, column: str | None, value: str | None, why: str) -> BadCell:
    shown = None if value is None else cut_short(value)
    return BadCell(number=row.number, line=row.line, column=column, value=shown, why=why)


def _kind_of(declared: str) -> Kind:
    if _INTEGER.search(declared):
        return "number"
    name = declared.upper()
    return next((kind for part, kind in _KINDS if part in name), "other" if name else "text")


def _convert(text: str, column: Column) -> Any:
    """The value as SQLAlchemy would write it. Raises ValueError with the reason."""
    convert = _CONVERSIONS.get(column.kind)
    return convert(text, column) if convert else text


def _to_number(text: str, column: Column) -> Any:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"it is no number, and the column is {column.type}") from None
    if not _INTEGER.search(column.type):
        return float(number) if not number.is_finite() else text  # the column's affinity makes a number of it
    if not number.is_finite() or number != number.to_integral_value():
        raise ValueError(f"it is no whole number, and the column is {column.type}")
    if not -(2**63) <= number < 2**63:
        raise ValueError("it is larger than a number of 64 bits")
    return int(number)


def _to_moment(text: str, _column: Column) -> str:
    try:
        return read_moment(text).strftime("%Y-%m-%d %H:%M:%S.%f")
    except ValueError:
        raise ValueError("it is no time as ISO 8601 writes it") from None


def _to_date(text: str, _column: Column) -> str:
    try:
        return read_date(text).isoformat()
    except ValueError:
        raise ValueError("it is no date as ISO 8601 writes it") from None


def _to_bytes(text: str, _column: Column) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


_CONVERSIONS: Mapping[Kind, Callable[[str, Column], Any]] = {
    "boolean": lambda text, _: int(text == "true"),
    "bytes": _to_bytes,
    "date": _to_date,
    "moment": _to_moment,
    "number": _to_number,
}
