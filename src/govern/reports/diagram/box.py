"""How large a table is drawn, and where its lines are: text is cut before it would leave its box."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from govern.core.diagram import DrawnColumn, DrawnTable, Mark
from govern.core.restoration import name_place
from govern.core.wording import count_of

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
_LONGEST_CHANGE = 52
_NARROWEST = 150.0

MARK_SIGNS: Mapping[Mark, str] = {"added": "+", "removed": "\N{MINUS SIGN}", "changed": "~"}
"""What says without a colour how something is different."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A column as it is written, or what else a change makes different."""

    sign: str
    name: str
    says: str
    """On the right: its type, or the table that it refers to."""
    middle: float
    """How far below the box's top."""
    is_primary: bool = False
    mark: Mark = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A table with its texts, at no place yet."""

    table: DrawnTable
    sign: str
    name: str
    kind: str
    """What it is, where it is no table."""
    rows: tuple[Row, ...]
    footers: tuple[str, ...]
    """What is not shown."""
    width: float
    height: float
    ports: Mapping[str, float]
    """By column, how far below the top its line begins."""

    def port(self, column: str) -> float:
        """The header's middle for a column that is not shown."""
        return self.ports.get(column, HEADER / 2)


def make_box(table: DrawnTable, *, undrawn: int = 0) -> Box:
    """The box that a table's texts need. ``undrawn``: how many lines to it are left out."""
    name = shorten(name_place(table.place), _LONGEST)
    kind = "" if table.kind == "table" else table.kind.replace("-", " ")
    rows = tuple(_make_rows(table))
    footers = tuple(_tell_hidden(table.hidden_columns, bool(rows), undrawn))
    widest = max(
        [
            sign_width(table.mark)
            + text_width(name)
            + (text_width(kind) + 2 * CHARACTER if kind else 0)
            + _SIGNS,
            *(text_width(footer) + _ROW_SIGN for footer in footers),
            *(
                sign_width(row.mark) + text_width(row.name) + text_width(row.says) + _ROW_SIGN + 2 * CHARACTER
                for row in rows
            ),
        ]
    )
    height = HEADER + ROW * (len(rows) + len(footers)) + _MARGIN
    return Box(
        table=table,
        sign=MARK_SIGNS.get(table.mark, ""),
        name=name,
        kind=kind,
        rows=rows,
        footers=footers,
        width=max(_NARROWEST, widest + 2 * PADDING),
        height=height,
        ports={column.name: _middle(at) for at, column in enumerate(table.columns)},
    )


def sign_width(mark: Mark) -> float:
    """What a sign of a difference takes, with the space behind it."""
    return 0.0 if mark == "same" else 2 * CHARACTER


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


def _make_rows(table: DrawnTable) -> Iterator[Row]:
    for at, column in enumerate(table.columns):
        yield Row(
            sign=MARK_SIGNS.get(column.mark, ""),
            name=shorten(column.name, _LONGEST) + ("?" if column.is_optional else ""),
            says=_describe(column),
            middle=_middle(at),
            is_primary=column.is_primary,
            mark=column.mark,
        )
    for at, remark in enumerate(table.remarks, start=len(table.columns)):
        yield Row(
            sign=MARK_SIGNS.get(remark.mark, ""),
            name=shorten(remark.text, _LONGEST_CHANGE),
            says="",
            middle=_middle(at),
            mark=remark.mark,
        )


def _middle(at: int) -> float:
    return HEADER + _MARGIN / 2 + ROW * (at + 0.5)


def _describe(column: DrawnColumn) -> str:
    """Its type, or the table that it refers to; and what it was."""
    if column.refers_to:
        says = f"→ {shorten(name_place(column.refers_to), _LONGEST_TARGET)}"
    else:
        says = _shorten_type(column.type)
    return f"{says}, {shorten(column.before, _LONGEST_CHANGE)}" if column.before else says


def _shorten_type(kind: str) -> str:
    return shorten(kind.removeprefix("public."), _LONGEST_TARGET)


def _tell_hidden(columns: int, are_some_shown: bool, undrawn: int) -> Iterator[str]:
    if columns:
        yield count_of(columns, "more column" if are_some_shown else "column")
    if undrawn:
        yield f"{count_of(undrawn, 'reference')} to it not drawn"


def _cells(character: str) -> int:
    """How many letters' width one takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
