"""Rows that lie in files: what a file says of a row, what a table expects of it, and what is wrong with the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from govern.core.finding import Rule, Severity
from govern.core.restoration import Place

BROKEN_EXPORT = Rule(
    id="backup.broken-export",
    name="a file of rows cannot be read",
    severity=Severity.ERROR,
    condition="a JSON, JSON lines or CSV file that is to be restored from is not what its ending says, or cut off",
    effect="nobody knows which rows it had; nothing is restored while it is there",
    remedy="correct the file, take a whole one, or leave it out: name the other tables with --table",
)
BAD_ROW = Rule(
    id="backup.bad-row",
    name="a row of a file does not fit its table",
    severity=Severity.ERROR,
    condition="a value in a file cannot become one of its column's type, is missing, or breaks a constraint",
    effect="the row would not arrive, or not as it was; nothing is restored while it is there",
    remedy="correct the row in the file",
)
NO_SUCH_TABLE = Rule(
    id="backup.no-such-table",
    name="a file for no table",
    severity=Severity.WARNING,
    condition="a file of rows is named after no table of the live database",
    effect="its rows are not restored",
    remedy="if they are needed, give the file the table's name",
)
MISSING_TABLE = Rule(
    id="backup.missing-table",
    name="rows for a table that is not there yet",
    severity=Severity.ERROR,
    condition="a file has rows of a table that the schema declares and the live database has not",
    effect="its rows have no place, nor have rows that refer to them; nothing is restored until the table is there",
    remedy="make the table first: govern migrate, or govern repair apply",
)
UNKNOWN_COLUMN = Rule(
    id="backup.unknown-column",
    name="a file has a column that its table has not",
    severity=Severity.WARNING,
    condition="rows of a file have a value under a name that is no column of the table",
    effect="these values are not restored",
    remedy="if they are needed, find out what the column is called now, and rename it in the file",
)
RULES = (BROKEN_EXPORT, BAD_ROW, NO_SUCH_TABLE, MISSING_TABLE, UNKNOWN_COLUMN)

Kind = Literal[
    "array", "boolean", "bytes", "date", "json", "moment", "number", "text", "zoned-moment", "other"
]
"""What decides how a value of a file is written for a column: a moment is a timestamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What a column expects of a row from a file."""

    name: str
    type: str
    """As the database says it."""
    kind: Kind
    is_nullable: bool = True
    has_default: bool = False
    is_computed: bool = False
    """The database makes its value; none is written."""
    is_key: bool = False
    """A part of the primary key."""
    max_length: int | None = None
    """In characters, where the type has a limit."""


Tables = Mapping[Place, tuple[Column, ...]]
"""The tables that rows can be written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """One row of a file. Values are what JSON has (numbers as int, Decimal or float); of CSV they are text."""

    number: int
    """Of the row in its file, counted from 1."""
    values: Mapping[str, Any]
    line: int | None = None
    """Where the format has one line a row."""
    key: str | None = None
    """The name under which an object keyed by id has the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRow:
    """A row as it is written to a table: text that the database turns into the column's type, or None for NULL.

    A column that is not in ``cells`` gets its default.
    """

    number: int
    line: int | None
    cells: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCell:
    """One row that does not fit, and why. ``value`` is cut short."""

    number: int | None
    """None where the database did not say which row it is."""
    line: int | None = None
    column: str | None
    value: str | None
    why: str

    def described(self) -> str:
        """What follows the name of the file: ``, row 3, column at: '2025-13-01': out of range``."""
        row = f", row {self.number:,}" if self.number is not None else ""
        column = f", column {self.column}" if self.column else ""
        value = f" {self.value!r}:" if self.value is not None else ""
        return f"{row}{column}:{value} {self.why}"


_SHOWN = 60


def cut_short(value: object, length: int = _SHOWN) -> str:
    """A value as a message shows it."""
    text = str(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"
