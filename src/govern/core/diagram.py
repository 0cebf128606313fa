"""What a picture of a schema shows: tables with their keys, what refers to what, and how each table is.

Whoever draws it decides where things go: in SVG ``govern.reports.diagram``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from govern.core.declared_keys import Key, read_declared_keys
from govern.core.reference import Reference
from govern.core.restoration import Place
from govern.core.snapshot import Snapshot, split_name

TableState = Literal["unknown", "healthy", "warning", "critical", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyColumn:
    """A column that tells rows apart, or refers to others."""

    name: str
    type: str
    is_primary: bool
    is_optional: bool
    """Whether it may be NULL."""
    refers_to: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnTable:
    """One table of a picture."""

    place: Place
    keys: tuple[KeyColumn, ...]
    """The primary key's first."""
    other_columns: int
    """How many are not shown."""
    state: TableState = "unknown"
    is_critical: bool = False
    """Whether the manifest names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A line from rows to the rows that they refer to."""

    reference: Reference
    is_single: bool
    """Whether at most one row refers to the same parent."""

    @property
    def is_implied(self) -> bool:
        """Whether it is the manifest's, and no foreign key."""
        return self.reference.name is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """A picture that nobody has drawn yet."""

    tables: Mapping[Place, DrawnTable]
    links: tuple[Link, ...]
    """Both ends are among the tables."""

    @property
    def critical(self) -> frozenset[Place]:
        """The tables that the manifest names."""
        return frozenset(place for place, table in self.tables.items() if table.is_critical)

    def around(self, places: Iterable[Place]) -> Diagram:
        """These tables, and those that refer to them or that they refer to; lines that end at one of these."""
        centre = frozenset(places)
        links = tuple(
            link for link in self.links if centre.intersection((link.reference.child, link.reference.parent))
        )
        shown = centre.union(
            *((link.reference.child, link.reference.parent) for link in links),
        )
        return Diagram(
            tables={place: table for place, table in self.tables.items() if place in shown}, links=links
        )

    def with_states(self, states: Mapping[Place, TableState]) -> Diagram:
        """The same picture of tables that somebody has looked at."""
        tables = {
            place: replace(table, state=states.get(place, table.state))
            for place, table in self.tables.items()
        }
        return replace(self, tables=tables)


def draw_schema(
    snapshot: Snapshot,
    *,
    implied: Iterable[Reference] = (),
    critical: Iterable[Place] = (),
) -> Diagram:
    """The tables of a snapshot, but for partitions, which are drawn as the one table that they are of.

    ``implied``: the manifest's relationships. ``critical``: its tables.
    """
    keys, foreign = read_declared_keys(snapshot)
    columns = _read_columns(snapshot)
    named = frozenset(critical)
    places = sorted(
        (key.namespace, key.name)
        for key in snapshot.of_kind("table")
        if not snapshot.objects[key].get("partition_of")
    )
    drawn = frozenset(places)
    references = tuple(
        reference
        for reference in (*foreign.values(), *implied)
        if reference.child in drawn and reference.parent in drawn
    )
    of_child: dict[Place, dict[str, Place]] = {}
    for reference in sorted(
        references, key=_by_columns
    ):  # of a column's several that by the fewest columns is told
        of_child.setdefault(reference.child, {}).update(dict.fromkeys(reference.columns, reference.parent))
    tables = {
        place: _draw_table(place, columns.get(place, {}), keys.get(place, ()), of_child.get(place, {}))
        for place in places
    }
    return Diagram(
        tables={place: replace(table, is_critical=place in named) for place, table in tables.items()},
        links=tuple(
            Link(reference=reference, is_single=_is_single(reference, keys.get(reference.child, ())))
            for reference in references
        ),
    )


def _read_columns(snapshot: Snapshot) -> dict[Place, dict[str, tuple[str, bool]]]:
    """By table and name: a type, and whether it may be NULL."""
    columns: dict[Place, dict[str, tuple[str, bool]]] = {}
    for key in snapshot.of_kind("column"):
        table, *_, column = split_name(key.name)
        facts = snapshot.objects[key]
        known = columns.setdefault((key.namespace, table), {})
        known[column] = (str(facts.get("type", "")), facts.get("nullable") is True)
    return columns


def _by_columns(reference: Reference) -> int:
    return -len(reference.columns)


def _draw_table(
    place: Place,
    columns: Mapping[str, tuple[str, bool]],
    keys: tuple[Key, ...],
    targets: Mapping[str, Place],
) -> DrawnTable:
    primary = next((key.columns for key in keys if key.is_primary), ())
    shown = dict.fromkeys((*primary, *sorted(targets)))
    drawn = tuple(
        KeyColumn(
            name=name,
            type=columns[name][0],
            is_primary=name in primary,
            is_optional=columns[name][1] and name not in primary,
            refers_to=targets.get(name),
        )
        for name in shown
        if name in columns
    )
    return DrawnTable(place=place, keys=drawn, other_columns=len(columns) - len(drawn))


def _is_single(reference: Reference, keys: tuple[Key, ...]) -> bool:
    return any(set(key.columns) <= set(reference.columns) for key in keys)
