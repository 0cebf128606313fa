"""What a picture says in words: to who cannot see it, and above it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from govern.core.diagram import Diagram, DrawnTable, Mark, TableState
from govern.core.restoration import name_place
from govern.core.wording import count_of

STATE_WORDS: Mapping[TableState, str] = {
    "unknown": "not looked at",
    "healthy": "healthy",
    "warning": "has warnings",
    "critical": "critical",
    "missing": "missing",
}
MOST_LINES = 12
"""To one table where others lay the lines: more hide everything else, so that columns alone say what refers to it."""
_ORDER: tuple[Mark, ...] = ("added", "removed", "changed")


def describe(diagram: Diagram) -> str:
    """The whole picture."""
    counted = count_relations(diagram)
    if diagram.is_change:
        beside = f" Besides: {', '.join(diagram.beside)}." if diagram.beside else ""
        return f"{count_marks(diagram)}; {counted} are shown. + is added, − removed, ~ changed.{beside}"
    return f"{counted}. A line leads from the rows that refer, at its fork, to the row that they refer to."


def describe_table(diagram: Diagram, table: DrawnTable, note: str = "") -> str:
    """``users, critical table: has warnings, 2 issues``; ``notes, table, changed: column title added``."""
    kind = table.kind.replace("-", " ")
    said = f"{name_place(table.place)}, {'critical ' if table.is_critical else ''}{kind}"
    if diagram.is_change and table.mark != "same":
        said += f", {table.mark}"
    told = [STATE_WORDS[table.state]] if diagram.has_states else []
    told += [*_tell_marks(table), *filter(None, (note,))]
    return f"{said}: {', '.join(told)}" if told else said


def count_relations(diagram: Diagram) -> str:
    """``38 tables, 2 views and 61 references``."""
    views = sum(table.kind != "table" for table in diagram.tables.values())
    tables = count_of(len(diagram.tables) - views, "table")
    references = count_of(sum(not link.is_read for link in diagram.links), "reference")
    return f"{tables}, {count_of(views, 'view')} and {references}" if views else f"{tables} and {references}"


def count_marks(diagram: Diagram) -> str:
    """``2 tables added, 1 table changed``; ``no table is different``."""
    found: Counter[tuple[str, Mark]] = Counter()
    for table in diagram.tables.values():
        found["table" if table.kind == "table" else "view", table.mark] += 1
    told = [
        f"{count_of(found[kind, mark], kind)} {mark}"
        for mark in _ORDER
        for kind in ("table", "view")
        if found[kind, mark]
    ]
    return ", ".join(told) or "no table is different"


def _tell_marks(table: DrawnTable) -> Iterator[str]:
    for column in table.columns:
        if column.mark != "same":
            yield f"column {column.name} {column.mark}" + (f" ({column.before})" if column.before else "")
    for remark in table.remarks:
        yield f"{remark.text} {remark.mark}"
