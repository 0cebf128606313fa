"""What a picture of a schema shows: tables with their columns, what refers to what, and how each table is.

Whoever draws it decides where things go: ``govern.reports.diagram``. What a change makes different is marked by
``govern.core.diagram_of_change``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from govern.core.declared_keys import Key, read_declared_keys
from govern.core.reference import Reference
from govern.core.restoration import Place
from govern.core.snapshot import Snapshot, split_name
from govern.core.view_sources import find_view_sources

TableState = Literal["unknown", "healthy", "warning", "critical", "missing"]
TableKind = Literal["table", "view", "materialized-view", "foreign-table"]
Mark = Literal["same", "added", "removed", "changed"]
Detail = Literal["all", "keys", "none"]
"""Which columns are shown."""

_MOST_WITH_ALL = 20
"""Tables of a picture that shows every column where nobody said which."""
_BESIDE_TABLES: tuple[TableKind, ...] = ("view", "materialized-view", "foreign-table")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnColumn:
    """A column, and what of it a picture tells."""

    name: str
    type: str
    is_primary: bool
    is_unique: bool
    """Whether no two rows share its value, which alone is a key, but not the primary one."""
    is_optional: bool
    """Whether it may be NULL."""
    refers_to: Place | None
    mark: Mark = "same"
    before: str = ""
    """Of a changed one what it was: ``was integer, was optional``."""

    @property
    def is_key(self) -> bool:
        """Whether it tells rows apart as the primary key, or refers to others."""
        return self.is_primary or self.refers_to is not None


class Remark(NamedTuple):
    """Something of a table that is no column, and that a change makes different: an index."""

    text: str
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnTable:
    """One table of a picture, or a view."""

    place: Place
    columns: tuple[DrawnColumn, ...]
    """Those that are shown: the primary key's first, then what refers to others."""
    hidden_columns: int = 0
    """How many are not shown."""
    kind: TableKind = "table"
    state: TableState = "unknown"
    is_critical: bool = False
    """Whether the manifest names it."""
    mark: Mark = "same"
    remarks: tuple[Remark, ...] = ()

    def showing(self, detail: Detail) -> DrawnTable:
        """With fewer columns; what a change marks stays with the keys."""
        shown = tuple(column for column in self.columns if _is_shown(column, detail))
        return replace(
            self, columns=shown, hidden_columns=self.hidden_columns + len(self.columns) - len(shown)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A line from rows to the rows that they refer to, or from a view to what it reads."""

    reference: Reference
    """Of a view without columns."""
    is_single: bool = False
    """Whether at most one row refers to the same parent."""
    is_optional: bool = False
    """Whether a row may refer to none."""
    is_read: bool = False
    """Whether it is a view that reads its parent."""
    mark: Mark = "same"

    @property
    def is_implied(self) -> bool:
        """Whether it is the manifest's, and no foreign key."""
        return self.reference.name is None and not self.is_read

    @property
    def column(self) -> str:
        """Where it begins: the first of its columns; empty of a view."""
        return next(iter(self.reference.columns), "")

    @property
    def parent_column(self) -> str:
        return next(iter(self.reference.parent_columns), "")

    @property
    def ends(self) -> tuple[Place, Place]:
        return self.reference.child, self.reference.parent

    def __str__(self) -> str:
        """``notes.user_id → users.id``."""
        if self.is_read:
            return f"{self.reference.child_name} reads {self.reference.parent_name}"
        return f"{self.reference}" + (", as the manifest says" if self.is_implied else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """A picture that nobody has drawn yet."""

    tables: Mapping[Place, DrawnTable]
    links: tuple[Link, ...]
    """Both ends are among the tables."""
    has_states: bool = False
    """Whether somebody has looked how the tables are."""
    centre: frozenset[Place] = frozenset()
    """The tables that it is around."""
    is_change: bool = False
    """Whether its marks say what is different between two schemas."""
    beside: tuple[str, ...] = ()
    """What is different and in no table: ``enum public.mood added``."""

    @property
    def critical(self) -> frozenset[Place]:
        """The tables that the manifest names."""
        return frozenset(place for place, table in self.tables.items() if table.is_critical)

    def around(self, places: Iterable[Place], *, depth: int = 1) -> Diagram:
        """These tables, and those at most ``depth`` lines away; lines that end at one of those nearer than that."""
        centre = shown = nearer = frozenset(places)
        for _ in range(depth):
            nearer = shown
            shown = shown.union(*(link.ends for link in self.links if not nearer.isdisjoint(link.ends)))
        links = tuple(
            link
            for link in self.links
            if shown.issuperset(link.ends) and (not depth or not nearer.isdisjoint(link.ends))
        )
        tables = {place: table for place, table in self.tables.items() if place in shown}
        return replace(self, tables=tables, links=links, centre=centre)

    def find_hubs(self, most: int) -> Mapping[Place, int]:
        """Tables with more than ``most`` lines to them, which would hide all the rest; none of those in the centre."""
        lines = Counter(link.reference.parent for link in self.links if link.mark == "same")
        return {place: count for place, count in lines.items() if count > most and place not in self.centre}

    def without_lines_to(self, places: Collection[Place]) -> Diagram:
        """The same where columns say that they refer to these tables, and no line does."""
        links = tuple(
            link for link in self.links if link.reference.parent not in places or link.mark != "same"
        )
        return replace(self, links=links)

    def showing(self, detail: Detail | None = None) -> Diagram:
        """The same with fewer columns; without ``detail`` all of them in a small picture, and keys in a large one.

        Of a table that a change leaves, and that is not new, the keys and what is different.
        """
        return replace(
            self,
            tables={
                place: table.showing(detail or self._choose_detail(table))
                for place, table in self.tables.items()
            },
        )

    def _choose_detail(self, table: DrawnTable) -> Detail:
        stays = self.is_change and table.mark in ("same", "changed")
        return "keys" if stays or len(self.tables) > _MOST_WITH_ALL else "all"

    def with_states(self, states: Mapping[Place, TableState]) -> Diagram:
        """The same picture of tables that somebody has looked at."""
        tables = {
            place: replace(table, state=states.get(place, table.state))
            for place, table in self.tables.items()
        }
        return replace(self, tables=tables, has_states=True)


def draw_schema(
    snapshot: Snapshot,
    *,
    implied: Iterable[Reference] = (),
    critical: Iterable[Place] = (),
    with_views: bool = False,
) -> Diagram:
    """The tables of a snapshot, but for partitions, which are drawn as the one table that they are of.

    ``implied``: the manifest's relationships. ``critical``: its tables. ``with_views``: views and foreign tables, too.
    """
    keys, foreign = read_declared_keys(snapshot)
    columns = _read_columns(snapshot)
    kinds = dict(_find_kinds(snapshot, with_views=with_views))
    named = frozenset(critical)
    references = tuple(
        reference
        for reference in (*foreign.values(), *implied)
        if reference.child in kinds and reference.parent in kinds
    )
    of_child: dict[Place, dict[str, Place]] = {}
    for reference in sorted(
        references, key=_by_columns
    ):  # of a column's several that by the fewest columns is told
        of_child.setdefault(reference.child, {}).update(dict.fromkeys(reference.columns, reference.parent))
    tables = {
        place: DrawnTable(
            place=place,
            kind=kinds[place],
            columns=tuple(
                _draw_columns(columns.get(place, {}), keys.get(place, ()), of_child.get(place, {}))
            ),
            is_critical=place in named,
        )
        for place in sorted(kinds)
    }
    links = [
        Link(
            reference=reference,
            is_single=_is_single(reference, keys.get(reference.child, ())),
            is_optional=_is_optional(reference, tables[reference.child]),
        )
        for reference in references
    ]
    return Diagram(tables=tables, links=(*links, *_link_views(snapshot, kinds)))


def sort_columns(columns: Iterable[DrawnColumn], order: Iterable[str]) -> tuple[DrawnColumn, ...]:
    """The primary key's in its order, then what refers to others, then the others by their names."""
    rank = {name: at for at, name in enumerate(order)}
    return tuple(
        sorted(
            columns,
            key=lambda column: (
                (0, rank.get(column.name, 0), "")
                if column.is_primary
                else (2 - column.is_key, 0, column.name)
            ),
        )
    )


def _is_shown(column: DrawnColumn, detail: Detail) -> bool:
    return detail == "all" or (detail == "keys" and (column.is_key or column.mark != "same"))


def _find_kinds(snapshot: Snapshot, *, with_views: bool) -> Iterator[tuple[Place, TableKind]]:
    for key in snapshot.of_kind("table"):
        if not snapshot.objects[key].get("partition_of"):
            yield (key.namespace, key.name), "table"
    for kind in _BESIDE_TABLES if with_views else ():
        for key in snapshot.of_kind(kind):
            yield (key.namespace, key.name), kind


def _link_views(snapshot: Snapshot, kinds: Mapping[Place, TableKind]) -> Iterator[Link]:
    for place, kind in sorted(kinds.items()):
        if kind in ("view", "materialized-view"):
            for source in find_view_sources(snapshot, kind, place, kinds.keys()):
                yield Link(
                    reference=Reference(child=place, columns=(), parent=source, parent_columns=()),
                    is_read=True,
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


def _draw_columns(
    columns: Mapping[str, tuple[str, bool]], keys: tuple[Key, ...], targets: Mapping[str, Place]
) -> Iterator[DrawnColumn]:
    primary = next((key.columns for key in keys if key.is_primary), ())
    unique = {key.columns[0] for key in keys if len(key.columns) == 1 and not key.is_primary}
    drawn = (
        DrawnColumn(
            name=name,
            type=type_,
            is_primary=name in primary,
            is_unique=name in unique,
            is_optional=is_optional and name not in primary,
            refers_to=targets.get(name),
        )
        for name, (type_, is_optional) in columns.items()
    )
    return iter(sort_columns(drawn, primary))


def _is_single(reference: Reference, keys: tuple[Key, ...]) -> bool:
    return any(set(key.columns) <= set(reference.columns) for key in keys)


def _is_optional(reference: Reference, child: DrawnTable) -> bool:
    return any(column.is_optional for column in child.columns if column.name in reference.columns)
