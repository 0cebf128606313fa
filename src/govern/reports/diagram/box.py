"""How large a table is drawn, and where its lines are: text is cut before it would leave its box."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from govern.core.diagram import DrawnTable, KeyColumn
from govern.core.restoration import name_place

CHARACTER = 7.25
"""The width of one at 12 px, in the widest of the usual typefaces whose letters are all of one width."""
HEADER = 28.0
ROW = 20.0
PADDING = 10.0
_MARGIN = 8.0
_SIGNS = 44.0
"""What the header keeps free for the signs of importance and state."""
_ROW_SIGN = 18.0
_LONGEST = 30
_LONGEST_TARGET = 26
_NARROWEST = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A key column as it is written."""

    name: str
    says: str
    """On the right: its type, or the table that it refers to."""
    is_primary: bool
    is_reference: bool
    middle: float
    """How far below the box's top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A table with its texts, at no place yet."""

    table: DrawnTable
    name: str
    rows: tuple[Row, ...]
    footer: str
    """What is not shown."""
    width: float
    height: float
    ports: Mapping[str, float]
    """By column, how far below the top its line begins."""

    def port(self, column: str) -> float:
        """The header's middle for a column that is not shown."""
        return self.ports.get(column, HEADER / 2)


def make_box(table: DrawnTable) -> Box:
    """The box that a table's texts need."""
    name = shorten(name_place(table.place), _LONGEST)
    rows = tuple(_make_row(column, at) for at, column in enumerate(table.keys))
    footer = _count_others(table.other_columns, bool(rows))
    widest = max(
        [
            text_width(name) + _SIGNS,
            text_width(footer) + _ROW_SIGN,
            *(text_width(row.name) + text_width(row.says) + _ROW_SIGN + 2 * CHARACTER for row in rows),
        ]
    )
    height = HEADER + ROW * (len(rows) + bool(footer)) + _MARGIN
    return Box(
        table=table,
        name=name,
        rows=rows,
        footer=footer,
        width=max(_NARROWEST, widest + 2 * PADDING),
        height=height,
        ports={column.name: row.middle for column, row in zip(table.keys, rows, strict=True)},
    )


def text_width(text: str) -> float:
    return CHARACTER * sum(_cells(character) for character in text)


def shorten(text: str, cells: int) -> str:
    """As much of the text as fits, with a sign that it is not all."""
    if sum(map(_cells, text)) <= cells:
        return text
    kept, used = [], 1
    for character in text:
        used += _cells(character)
        if used > cells:
            break
        kept.append(character)
    return "".join(kept) + "…"


def _make_row(column: KeyColumn, at: int) -> Row:
    target = column.refers_to
    optional = "?" if column.is_optional else ""
    return Row(
        name=shorten(column.name, _LONGEST) + optional,
        says=f"→ {shorten(name_place(target), _LONGEST_TARGET)}" if target else _shorten_type(column.type),
        is_primary=column.is_primary,
        is_reference=target is not None,
        middle=HEADER + _MARGIN / 2 + ROW * (at + 0.5),
    )


def _shorten_type(kind: str) -> str:
    return shorten(kind.removeprefix("public."), _LONGEST_TARGET)


def _count_others(number: int, are_keys_shown: bool) -> str:
    if not number:
        return ""
    more = " more" if are_keys_shown else ""
    return f"{number}{more} column{'' if number == 1 else 's'}"


def _cells(character: str) -> int:
    """How many letters' width one takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
