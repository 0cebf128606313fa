"""What has to be known of a table before rows are put into it: columns, keys, parents, triggers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from govern.core.restoration import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A table's reference to another, or to itself."""

    name: str
    columns: tuple[str, ...]
    parent: Place
    parent_columns: tuple[str, ...]
    is_deferrable: bool
    """Whether it can be checked at the end of the transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    """One table as rows see it."""

    place: Place
    columns: tuple[str, ...]
    """Those that take values, in order: none that is generated."""
    required: frozenset[str] = frozenset()
    """Columns that take no NULL and have no default."""
    nullable: frozenset[str] = frozenset()
    keys: tuple[tuple[str, ...], ...] = ()
    """What tells one row from all others, the primary key first: unique columns that are never NULL."""
    uniques: tuple[tuple[str, ...], ...] = ()
    """Every set of columns that no two rows may share, the keys among them."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    triggers: tuple[str, ...] = ()
    """The user's own that fire when rows are written."""

    def key_within(self, columns: Iterable[str]) -> tuple[str, ...]:
        """The first key that is made of ``columns`` alone; empty where there is none."""
        known = set(columns)
        return next((key for key in self.keys if known.issuperset(key)), ())

    def can_wait(self, foreign_key: ForeignKey) -> bool:
        """Whether a row can be there before its parent is: with NULL at first."""
        return bool(self.keys) and any(column in self.nullable for column in foreign_key.columns)


class CircleOfTables(ValueError):
    """Tables that refer to each other in a circle, each before the next. ``tables`` are they."""

    def __init__(self, tables: tuple[Place, ...]) -> None:
        super().__init__("tables refer to each other in a circle")
        self.tables = tables


Postponed = Mapping[Place, tuple[ForeignKey, ...]]
"""By table, the references that are filled in once all rows are there."""


def order_parents_first(shapes: Mapping[Place, TableShape]) -> tuple[tuple[Place, ...], Postponed]:
    """An order in which each table comes after those it refers to, and what has to wait for a second pass.

    A reference to the table itself, and one that is checked at the end of the transaction, is in nobody's way. A circle
    is broken at a reference that may be NULL at first. Raises CircleOfTables where there is none.
    """
    postponed: dict[Place, tuple[ForeignKey, ...]] = {}
    while True:
        graph = {
            place: sorted({reference.parent for reference in _binding(shape, shapes, postponed)})
            for place, shape in sorted(shapes.items())
        }
        try:
            return tuple(TopologicalSorter(graph).static_order()), postponed
        except CycleError as error:
            place, waiting = _find_way_out(tuple(error.args[1]), shapes, postponed)
            postponed[place] = (*postponed.get(place, ()), *waiting)


def _binding(
    shape: TableShape, shapes: Mapping[Place, TableShape], postponed: Postponed
) -> tuple[ForeignKey, ...]:
    """The references whose parents have to be there first."""
    return tuple(
        reference
        for reference in shape.foreign_keys
        if reference.parent in shapes
        and reference.parent != shape.place
        and not reference.is_deferrable
        and reference not in postponed.get(shape.place, ())
    )


def _find_way_out(
    circle: tuple[Place, ...], shapes: Mapping[Place, TableShape], postponed: Postponed
) -> tuple[Place, tuple[ForeignKey, ...]]:
    """A table of the circle whose references to others of it may all wait, and these."""
    for place in sorted(set(circle)):
        within = tuple(one for one in _binding(shapes[place], shapes, postponed) if one.parent in set(circle))
        if within and all(shapes[place].can_wait(reference) for reference in within):
            return place, within
    raise CircleOfTables(tuple(sorted(set(circle))))
