"""References of a SQLite database, and the rows that name no parent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from govern.core.keys import Overlap
from govern.core.reference import NotCounted, OrphanCount, Reference
from govern.database import row_queries
from govern.database.sqlite.folding import fold
from govern.database.sqlite.time_limit import explain, within

if TYPE_CHECKING:
    from govern.core.restoration import Place
    from govern.database.connection import Connection

_TABLES = """
SELECT name FROM sqlite_master
WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
  AND name NOT LIKE 'govern\\_%' ESCAPE '\\'
ORDER BY name
"""
_FOREIGN_KEYS = (
    'SELECT id, "table", "from", "to", lower(on_delete) FROM pragma_foreign_key_list(?) ORDER BY id, seq'
)
_PRIMARY_KEY = "SELECT name FROM pragma_table_xinfo(?) WHERE pk ORDER BY pk"
_COLUMNS = "SELECT lower(name) FROM pragma_table_xinfo(?)"
_DOUBT = "SQLite upholds it in connections alone that ask for it (PRAGMA foreign_keys)"


def read_references(connection: Connection) -> tuple[Reference, ...]:
    """Every declared foreign key, those to a table that is not there among them."""
    tables = [name for (name,) in connection.rows(_TABLES)]
    known = {fold(name): name for name in tables}
    return tuple(reference for table in tables for reference in _references_of(connection, table, known))


def _references_of(connection: Connection, table: str, known: dict[str, str]) -> Iterator[Reference]:
    grouped: dict[int, list[tuple[str, str, str | None]]] = {}
    actions: dict[int, str] = {}
    for number, parent, own, other, on_delete in connection.rows(_FOREIGN_KEYS, (table,)):
        grouped.setdefault(number, []).append((parent, own, other))
        actions[number] = on_delete
    for number, pairs in grouped.items():
        parent = known.get(fold(pairs[0][0]), pairs[0][0])
        columns = tuple(own for _, own, _ in pairs)
        named = tuple(other for *_, other in pairs if other is not None)
        yield Reference(
            name=", ".join(columns),  # SQLite does not tell it
            child=("", table),
            columns=columns,
            parent=("", parent),
            parent_columns=named or tuple(name for (name,) in connection.rows(_PRIMARY_KEY, (parent,))),
            doubt=_DOUBT,
            on_delete=actions[number],
            set_null=columns if actions[number] == "set null" else (),
        )


def resolve_implied(
    connection: Connection, implied: Sequence[Reference]
) -> tuple[Reference | NotCounted, ...]:
    """As they are, if they are there: SQLite compares values of all types."""
    found = ((one, _find_missing(connection, one)) for one in implied)
    return tuple(NotCounted(reference=one, why=missing) if missing else one for one, missing in found)


def _find_missing(connection: Connection, reference: Reference) -> str | None:
    """The engine takes a quoted name that is no column's for a text, and compares with that."""
    sides: tuple[tuple[Place, tuple[str, ...]], ...] = (
        (reference.child, (*reference.columns, *(column for column, _ in reference.when))),
        (reference.parent, reference.parent_columns),
    )
    for (_, table), columns in sides:
        there = {name for (name,) in connection.rows(_COLUMNS, (table,))}
        if not there:
            return f"there is no table {table}"
        missing = [column for column in columns if fold(column) not in there]
        if missing or not columns:
            return f"there is no column {table}.{missing[0]}" if missing else f"{table} has no primary key"
    return None


def find_orphans(
    connection: Connection,
    references: Sequence[Reference],
    *,
    examples: int,
    seconds: float,
) -> Iterator[OrphanCount | NotCounted]:
    """How many rows of each name no parent; what is left when ``seconds`` are over is not counted."""
    with within(connection, seconds):
        for reference in references:
            yield _count(connection, reference, examples)


def _count(connection: Connection, reference: Reference, examples: int) -> OrphanCount | NotCounted:
    if missing := _find_missing(connection, reference):
        return NotCounted(reference=reference, why=missing)
    try:
        found = OrphanCount(reference=reference, rows=connection.value(row_queries.count_orphans(reference)))
        if not found.rows:
            return found
        rows = connection.rows(row_queries.find_examples(reference, examples))
    except sqlite3.OperationalError as error:
        return NotCounted(reference=reference, why=explain(error))
    return replace(found, examples=row_queries.show_values(rows), query=row_queries.show_orphans(reference))


def measure_overlap(
    connection: Connection,
    reference: Reference,
    *,
    values: int,
    seconds: float,
) -> Overlap | None:
    """How many of at most ``values`` different ones the parent has; None where that cannot be read in ``seconds``."""
    try:
        with within(connection, seconds):
            ((looked_at, found),) = connection.rows(row_queries.measure_overlap(reference, values))
    except sqlite3.OperationalError:
        return None
    return Overlap(values=looked_at, found=found)
