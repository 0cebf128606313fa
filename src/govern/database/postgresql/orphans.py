"""The rows of a PostgreSQL database that name no parent. Reads only, each statement for itself and not for long.

Small tables first, many in one statement. A large one is asked by its index where it has one, in one statement where
that is enough, else in chunks; what the time does not suffice for is looked at in a sample.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psycopg import Error, errors

from govern.core.keys import Overlap
from govern.core.reference import NotCounted, OrphanCount, Reference
from govern.database import row_queries
from govern.database.postgresql.chunks import count_in_chunks
from govern.database.postgresql.own_schema import find_namespace
from govern.database.postgresql.time_limit import within
from govern.database.postgresql.unread import CANCELLED, explain, find_holders
from govern.database.row_queries import Stretch

if TYPE_CHECKING:
    from govern.core.restoration import Place
    from govern.database.connection import Connection

# a policy that hides rows is to be an error, not a smaller number; small queries are not worth a compiler
_SETTINGS = {"row_security": "off", "jit": "off", "standard_conforming_strings": "on"}
_CONFIGURE = (
    "SELECT count(set_config(name, value, false)) FROM unnest(%s::text[], %s::text[]) AS s (name, value)"
)
# histograms leave out the values that many rows have; of a whole with partitions the statistics of all of them
_STATISTICS = """
SELECT n_distinct::float8, coalesce(histogram_bounds::text::text[], '{}') FROM pg_catalog.pg_stats
WHERE schemaname = %s AND tablename = %s AND attname = %s ORDER BY inherited DESC LIMIT 1
"""

_SMALL_ROWS = 20_000
"""Tables with fewer rows are looked at many at a time: the way to the server and back would be most of it."""
_AT_A_TIME = 50
_TOGETHER_SECONDS = 10.0
_STATEMENT_SECONDS = 30.0
"""A statement that takes longer goes on in chunks."""
_SAMPLED_ROWS = 200_000
_SAMPLE_SECONDS = 10.0
_PARTED_ROWS = 1_000_000
"""From here on it is worth the start of the server's parallel workers."""
_PARTS = 4
_ROWS_A_VALUE = 100
"""Where so many rows share a value on average, leaping from value to value is faster than walking along the rows."""


def find_orphans(
    connection: Connection,
    references: Sequence[Reference],
    *,
    examples: int,
    seconds: float,
) -> Iterator[OrphanCount | NotCounted]:
    """How many rows of each name no parent.

    ``seconds`` is for all of them together. What is left then is looked at as far as it came, or in a sample of its
    rows; what even that does not do is not counted, and says so.
    """
    connection.rows(_CONFIGURE, (list(_SETTINGS), list(_SETTINGS.values())))
    yield from _Search(connection, examples, time.monotonic() + seconds).search(references)


def measure_overlap(
    connection: Connection, reference: Reference, *, values: int, seconds: float
) -> Overlap | None:
    """How many of at most ``values`` different ones the parent has; None where that cannot be read in ``seconds``."""
    try:
        with within(connection, seconds):
            ((looked_at, found),) = connection.rows(row_queries.measure_overlap(reference, values))
    except Error:
        return None
    return Overlap(values=looked_at, found=found)


class _Search:
    """One walk over all references, until its deadline."""

    def __init__(self, connection: Connection, examples: int, deadline: float) -> None:
        self._connection = connection
        self._examples = examples
        self._deadline = deadline
        self._unreadable: dict[Place, str] = {}
        """Tables that were waited for once already."""

    def search(self, references: Sequence[Reference]) -> Iterator[OrphanCount | NotCounted]:
        small = [one for one in references if (one.child_rows or 0) < _SMALL_ROWS]
        plain = [one for one in small if _is_plain(one)]
        others = [one for one in small if not _is_plain(one)]
        groups = [
            alike[start : start + _AT_A_TIME]
            for alike in (plain, others)
            for start in range(0, len(alike), _AT_A_TIME)
        ]
        for group, suspects in zip(groups, self._find_all_suspects(groups), strict=True):
            for place, one in enumerate(group):
                yield self._count(one) if place in suspects else OrphanCount(reference=one, rows=0)
        large = (one for one in references if (one.child_rows or 0) >= _SMALL_ROWS)
        for reference in sorted(large, key=lambda one: one.child_rows or 0):
            yield self._count(reference)

    @property
    def _left(self) -> float:
        return self._deadline - time.monotonic()

    def _find_all_suspects(self, groups: Sequence[Sequence[Reference]]) -> Sequence[set[int]]:
        """Of each group the places of those that may have orphans; one limit for all: a network makes each way long."""
        found = [set(range(len(group))) for group in groups]
        if groups:
            with suppress(Error), within(self._connection, min(self._left, _TOGETHER_SECONDS)):
                found = list(map(self._find_suspects, groups))
        return found

    def _find_suspects(self, group: Sequence[Reference]) -> set[int]:
        """One that cannot be asked spoils the statement for all: then each is asked for itself."""
        everybody = set(range(len(group)))
        if self._left <= 0:
            return everybody
        try:
            return self._ask_together(group)
        except Error:
            return everybody

    def _ask_together(self, group: Sequence[Reference]) -> set[int]:
        if all(map(_is_plain, group)):
            query = row_queries.find_small_orphans_of_each(group)
            return {place for (place,) in self._connection.rows(query)}
        counted = self._connection.rows(row_queries.count_orphans_of_each(group))
        return {place for place, rows in counted if rows}

    def _count(self, reference: Reference) -> OrphanCount | NotCounted:
        if why := self._find_known_trouble(reference):
            return NotCounted(reference=reference, why=why)
        try:
            found = self._count_somehow(reference)
        except Error as error:
            self._remember_locks(reference, error)
            why = explain(self._connection, error, (reference.child, reference.parent))
            return NotCounted(reference=reference, why=why)
        return replace(found, query=row_queries.show_orphans(reference)) if found.rows else found

    def _count_somehow(self, reference: Reference) -> OrphanCount:
        """All of it in one statement or in chunks; else the larger of what chunks came to, and of a sample."""
        if self._left > 0:
            try:
                with within(self._connection, min(self._left, _STATEMENT_SECONDS)):
                    return self._count_at_once(reference)
            except CANCELLED:
                pass
        part = count_in_chunks(self._connection, reference, examples=self._examples, deadline=self._deadline)
        if part and (part.sampled_percent is None or part.sampled_percent >= _sampled_percent(reference)):
            return part
        return self._count_sample(reference)

    def _count_at_once(self, reference: Reference) -> OrphanCount:
        if reference.is_indexed and (reference.child_rows or 0) >= _SMALL_ROWS:
            counting, showing = self._choose_queries(reference)
            return self._show(reference, self._connection.value(counting), showing)
        found = self._connection.rows(row_queries.count_with_examples(reference, self._examples))
        examples = row_queries.show_values([row[:-1] for row in found])
        return OrphanCount(reference=reference, rows=found[0][-1] if found else 0, examples=examples)

    def _choose_queries(self, reference: Reference) -> tuple[str, str | None]:
        """By what the server's statistics say of the column: few values, or many that can be parted."""
        whole = (Stretch(columns=reference.columns),)
        if len(reference.columns) > 1 or reference.when:
            return row_queries.count_by_value(reference, whole), None
        named, table = reference.child
        namespace = find_namespace(named, self._connection.schema)
        statistics = self._connection.rows(_STATISTICS, (namespace, table, *reference.columns))
        distinct, bounds = statistics[0] if statistics else (0.0, [])
        rows = reference.child_rows or 0
        if distinct > 0 and rows / distinct >= _ROWS_A_VALUE:
            showing = row_queries.leap_to_lost_values(reference, self._examples)
            return row_queries.count_by_leaps(reference), showing
        is_parted = reference.has_same_order and rows >= _PARTED_ROWS and len(bounds) > _PARTS
        stretches = _part(reference, bounds) if is_parted else whole
        counting = row_queries.count_by_value(reference, stretches)
        return counting, row_queries.find_lost_values(reference, self._examples)

    def _count_sample(self, reference: Reference) -> OrphanCount:
        percent = _sampled_percent(reference)
        with within(self._connection, _SAMPLE_SECONDS):
            rows = self._connection.value(
                row_queries.count_orphans(reference, f"TABLESAMPLE SYSTEM ({percent:.6f})")
            )
        found = self._show(reference, rows, None)
        return replace(found, sampled_percent=None if percent == 100 else percent)

    def _show(self, reference: Reference, rows: int, query: str | None) -> OrphanCount:
        """With examples, where there are orphans; the number is what matters."""
        found = OrphanCount(reference=reference, rows=rows)
        if not rows:
            return found
        try:
            with within(self._connection, _SAMPLE_SECONDS):
                shown = self._connection.rows(query or row_queries.find_examples(reference, self._examples))
        except errors.QueryCanceled:
            return found
        return replace(found, examples=row_queries.show_values(shown))

    def _find_known_trouble(self, reference: Reference) -> str | None:
        return self._unreadable.get(reference.child) or self._unreadable.get(reference.parent)

    def _remember_locks(self, reference: Reference, error: Error) -> None:
        if isinstance(error, errors.LockNotAvailable):
            why = explain(self._connection, error, (reference.child, reference.parent))
            held = {reference.child, reference.parent} & set(find_holders(self._connection))
            self._unreadable |= dict.fromkeys(held, why)


def _is_plain(reference: Reference) -> bool:
    """Whether both tables are known to be small, so that a list of all parents is quickly made and looked through."""
    is_small = all(
        rows is not None and rows < _SMALL_ROWS for rows in (reference.child_rows, reference.parent_rows)
    )
    return is_small and len(reference.columns) == 1 and reference.has_same_types and not reference.is_temporal


def _part(reference: Reference, bounds: Sequence[str]) -> tuple[Stretch, ...]:
    """Stretches of about as many rows, by the column's histogram."""
    ends: list[Any] = [None, *((bounds[len(bounds) * part // _PARTS],) for part in range(1, _PARTS)), None]
    return tuple(
        Stretch(columns=reference.columns, after=after, upto=upto) for after, upto in itertools.pairwise(ends)
    )


def _sampled_percent(reference: Reference) -> float:
    return max(0.0001, min(100.0, 100.0 * _SAMPLED_ROWS / max(reference.child_rows or 0, 1)))
