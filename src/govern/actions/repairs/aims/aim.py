"""What a kind of repair is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from govern.core.changes import Change
from govern.core.conversion import Conversion
from govern.core.hazard import Hazard
from govern.core.restoration import Place
from govern.core.schema_repair import KeptValues, WholeTable
from govern.core.snapshot import ObjectKey, Snapshot, default_namespace, is_called, split_name
from govern.database.live import LiveDatabase
from govern.source.manifest import Repair

EXAMPLES = 5
"""Keys of rows in the way that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A declared repair, and how the live schema differs from the declared one."""

    live: LiveDatabase
    repair: Repair
    declared: Snapshot
    """In the words of the live one."""
    schema: Snapshot
    """The live one."""
    changes: tuple[Change, ...]
    """The differences that the project does not live with."""

    def choose(self, meant: Callable[[Change], bool]) -> tuple[Change, ...]:
        """The differences that are meant, and those that go with them."""
        chosen = tuple(change for change in self.changes if meant(change))
        return self.live.dialect.schema_work().complete(chosen, self.changes)

    def are_plain(self, places: Iterable[Place]) -> bool:
        """Whether none of these tables is partitioned: on one, nothing is done concurrently, or NOT VALID."""
        tables = (self.schema.objects.get(ObjectKey("table", *place), {}) for place in places)
        return not any("partition_key" in facts for facts in tables)

    def place_of(self, namespace: str | None, table: str) -> Place:
        return (namespace or default_namespace(self.live.dialect.name), table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What of the differences is to go, and what is known about it."""

    chosen: tuple[Change, ...] = ()
    obstacles: tuple[str, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    settled: tuple[Hazard, ...] = ()
    """Of what the proof on a copy fears, what was looked into here."""
    notes: tuple[str, ...] = ()
    tables: tuple[WholeTable, ...] = ()
    is_gentle: bool = False
    """Whether others read and write meanwhile, at the price of more than one transaction."""
    conversions: tuple[Conversion, ...] = ()
    kept: tuple[KeptValues, ...] = ()


def find_declared(asking: Asking, kind: str, name: str) -> tuple[ObjectKey, ...]:
    return tuple(key for key in sorted(asking.declared.of_kind(kind)) if is_called(key, name))


def table_of(key: ObjectKey) -> Place:
    """Of what is in a table, or of the table itself."""
    return (key.namespace, split_name(key.name)[0])


def count_rows(asking: Asking, place: Place) -> int:
    """Exactly; 0 where there is no such table yet. Raises Refused where somebody keeps it locked."""
    if ObjectKey("table", *place) not in asking.schema.objects:
        return 0
    live = asking.live
    with live.dialect.working_on_rows(live.url, live.table, read_only=True) as (connection, _):
        counts = live.dialect.count_rows(connection, [place])
    return next(iter(counts.values()), 0)
