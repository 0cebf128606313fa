"""Orphans of a table that is too large for one statement: counted in stretches of an index, each a short snapshot.

Where one stretch ends the next begins, whatever happened to the one before: what was cancelled is asked again, for
fewer rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from govern.core.reference import OrphanCount, Reference
from govern.database import row_queries
from govern.database.postgresql.own_schema import find_namespace
from govern.database.postgresql.time_limit import within
from govern.database.postgresql.unread import CANCELLED
from govern.database.row_queries import Stretch

if TYPE_CHECKING:
    from govern.database.connection import Connection

# one that is over ranges, WITHOUT OVERLAPS, has no order
_PRIMARY_KEY = """
SELECT array(
  SELECT a.attname::text FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k(number, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
  WHERE k.position <= i.indnkeyatts ORDER BY k.position
)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisprimary AND NOT i.indisexclusion AND i.indisvalid AND n.nspname = %s AND c.relname = %s
"""
_FIRST_ROWS = 50_000
_FEWEST_ROWS = 1_000
_SHRINK = 4
_BRISK_SECONDS = 0.5
"""A stretch that took less may be twice as long the next time."""
_LONGEST_SECONDS = 5.0
"""Of one statement: so old a snapshot gets."""


def count_in_chunks(
    connection: Connection,
    reference: Reference,
    *,
    examples: int,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
) -> OrphanCount | None:
    """As far as it comes until ``deadline``; None where that is nowhere, or the table has no key to go along.

    Raises psycopg.Error where even the fewest rows cannot be read.
    """
    columns = _choose_columns(connection, reference)
    if not columns:
        return None
    stretch = Stretch(columns=columns)
    found = OrphanCount(reference=reference, rows=0)
    size, looked_at = _FIRST_ROWS, 0
    while (left := deadline - clock()) > 0:
        started = clock()
        try:
            with within(connection, min(left, _LONGEST_SECONDS)):
                end = connection.rows(row_queries.find_end(reference, stretch, size))
                stretch = replace(stretch, upto=end[0] if end else None)
                rows = connection.rows(row_queries.count_with_examples(reference, examples, stretch))
        except CANCELLED:
            if size == _FEWEST_ROWS and clock() < deadline:
                raise
            size, stretch = max(_FEWEST_ROWS, size // _SHRINK), replace(stretch, upto=None)
            continue
        found = _add(found, rows, examples)
        looked_at += size
        if stretch.upto is None:
            return found
        stretch = Stretch(columns=columns, after=stretch.upto)
        size = size * 2 if clock() - started < _BRISK_SECONDS else size
    return replace(found, sampled_percent=_share(reference, looked_at)) if looked_at else None


def _choose_columns(connection: Connection, reference: Reference) -> tuple[str, ...]:
    """The reference's own column, where an index of it answers alone; else the primary key."""
    if reference.is_indexed and reference.has_same_order:
        return reference.columns
    namespace, table = reference.child
    key = connection.value(_PRIMARY_KEY, (find_namespace(namespace, connection.schema), table))
    return tuple(key or ())


def _add(found: OrphanCount, rows: list[tuple[str | int, ...]], examples: int) -> OrphanCount:
    if not rows:
        return found
    values = {*found.examples, *row_queries.show_values([row[:-1] for row in rows])}  # type: ignore[misc]
    return replace(found, rows=found.rows + int(rows[0][-1]), examples=tuple(sorted(values)[:examples]))


def _share(reference: Reference, looked_at: int) -> float:
    """In percent, and never all of it, whatever the estimate says: the end was not reached."""
    return min(99.0, 100.0 * looked_at / max(reference.child_rows or 0, looked_at))
