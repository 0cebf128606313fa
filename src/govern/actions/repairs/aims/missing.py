"""What is declared and gone: made anew as it is declared, and empty where it held rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from govern.actions.backup import list_backups
from govern.actions.repairs.aims.aim import Aim, Asking, count_rows, find_declared, table_of
from govern.actions.repairs.aims.foreign_key import find_orphans
from govern.actions.repairs.aims.index import find_duplicates
from govern.core.changes import Change
from govern.core.hazard import Hazard, hazard_of
from govern.core.restoration import Place, name_place
from govern.core.schema_repair import WholeTable
from govern.core.snapshot import ABOUT_AN_OBJECT, INSIDE_A_RELATION, ObjectKey, is_called, split_name
from govern.database.live import LiveDatabase
from govern.source.manifest import split_table

_HOLDS_ROWS = ("table", "column")
_ROUTINES = ("function", "aggregate")
_VIEWS = ("view", "materialized-view")


def recreate_missing(asking: Asking) -> Aim:
    chosen = asking.choose(lambda change: change.action == "removed" and _is_meant(asking, change.key))
    if not chosen:
        there = _find_declared(asking)
        if there:
            return Aim(notes=(f"{there[0]} is there",))
        return Aim(obstacles=(f"{_describe(asking)} is not declared: write a revision",))
    places = dict.fromkeys(table_of(one.key) for one in chosen if one.key.kind in INSIDE_A_RELATION)
    return Aim(
        chosen=chosen,
        obstacles=(*find_orphans(asking, chosen), *find_duplicates(asking, chosen)),
        hazards=tuple(empty_hazards(change.key for change in chosen)),
        notes=tuple(_say_what_is_empty(asking, chosen)),
        tables=tuple(WholeTable(place=place, rows=count_rows(asking, place)) for place in places),
    )


def empty_hazards(keys: Iterable[ObjectKey]) -> Iterator[Hazard]:
    """Of what comes back, and held rows or values."""
    for key in keys:
        if key.kind in _HOLDS_ROWS:
            yield hazard_of("empty", key.namespace, *split_name(key.name))


def _is_meant(asking: Asking, key: ObjectKey) -> bool:
    """The object itself; of a table everything that is in it, or said of it."""
    named = asking.repair.named_object
    if named is None:
        place = asking.place_of(*split_table(asking.repair.table or ""))
        if key.kind in ABOUT_AN_OBJECT:
            return (key.namespace, split_name(key.name.partition(" ")[2])[0]) == place
        return key.kind in ("table", *INSIDE_A_RELATION, "column") and table_of(key) == place
    kind, name = named
    return key.kind in _kinds(kind) and is_called(key, name)


def _kinds(kind: str) -> tuple[str, ...]:
    return {"view": _VIEWS, "function": _ROUTINES}.get(kind, (kind,))


def _find_declared(asking: Asking) -> tuple[ObjectKey, ...]:
    named = asking.repair.named_object
    if named is None:
        return find_declared(asking, "table", asking.repair.table or "")
    kind, name = named
    return tuple(key for one in _kinds(kind) for key in find_declared(asking, one, name))


def _describe(asking: Asking) -> str:
    return asking.repair.object or f"table {asking.repair.table}"


def _say_what_is_empty(asking: Asking, chosen: tuple[Change, ...]) -> Iterator[str]:
    """The newest backup that has the table; of a column nobody knows whether its values are in it."""
    for change in chosen:
        if change.key.kind in _HOLDS_ROWS:
            yield f"{change.key} comes back empty; {say_where_rows_are(asking.live, table_of(change.key))}"


def say_where_rows_are(live: LiveDatabase, place: Place) -> str:
    """By the newest backup of this target that has the table."""
    name = ".".join(filter(None, place))
    having = [
        backup.id
        for backup in list_backups(live.settings)
        if backup.manifest.target == live.settings.target and name in backup.manifest.rows
    ]
    if not having:
        return "no backup has that table"
    newest = max(having)
    return (
        f"the newest backup that has the table: govern restore {newest} --table {name_place(place)} --merge"
    )
