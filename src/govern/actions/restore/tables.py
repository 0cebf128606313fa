"""Tables that a restore is about: by the names that people give, and those that have to be made first."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from govern.actions.repairs.schema import prove
from govern.core.backup import Backup
from govern.core.changes import Change, accept, describe_change, diff
from govern.core.repair import RepairPlan
from govern.core.restoration import Place, name_place
from govern.core.snapshot import split_name
from govern.database.live import LiveDatabase
from govern.database.transfer import Transfer
from govern.declared import in_words_of
from govern.errors import ConfigurationError, NoSuchName, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A foreign key that a table has to another that is made."""

    place: Place
    name: str
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MakingTables:
    """How tables are made that are not there."""

    statements: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    """Of tables that have rows: to be made once those of the new table are there."""


NOTHING_TO_MAKE = MakingTables()


@contextmanager
def making_tables(transfer: Transfer, making: MakingTables) -> Iterator[None]:
    """Makes them, in the transaction of the rows that come in the block."""
    for statement in making.statements:
        transfer.connection.execute(statement)
    yield
    for link in making.links:
        transfer.link(link.place, link.name, link.definition)


def find_tables(
    names: Sequence[str], known: Collection[Place], backups: Callable[[], Iterable[Backup]]
) -> tuple[Place, ...]:
    """The tables of these names, each with its schema where that is not plain.

    Raises ConfigurationError, which says which of ``backups``, the newest first, has a table that is not among those.
    """
    return tuple(dict.fromkeys(_find_table(name, known, backups) for name in names))


def find_backup_with(name: str, backups: Iterable[Backup]) -> Backup | None:
    """The first of them that is good, as far as is known, and has a table of this name."""
    good = (backup for backup in backups if backup.manifest.unfit is None)
    return next(
        (backup for backup in good if any(_is_called(key, name) for key in backup.manifest.rows)), None
    )


def _is_called(key: str, name: str) -> bool:
    parts, wanted = split_name(key), split_name(name)
    return bool(wanted) and parts[-len(wanted) :] == wanted


def read_places(database: LiveDatabase) -> frozenset[Place]:
    """All of its tables that are no partitions of others."""
    snapshot = database.read_snapshot()
    return frozenset(
        (key.namespace, key.name)
        for key in snapshot.of_kind("table")
        if snapshot.objects[key].get("partition_of") is None
    )


def propose_tables(live: LiveDatabase, source: LiveDatabase, tables: Collection[Place]) -> MakingTables:
    """How to make tables that the source alone has, as they are there; proven on a copy of the live schema.

    With their indexes, constraints, comments, grants and sequences, and the foreign keys that other tables have to
    them. Raises Refused where they cannot be made.
    """
    if not tables:
        return MakingTables()
    schema = live.read_snapshot()
    expected = in_words_of(schema, source.read_snapshot(), live.dialect, lambda: nullcontext(source.url))
    changes = diff(expected, schema)
    made = _with_partitions(tables, changes)
    others = [change for change in changes if change.key.kind != "table" or change.key[1:] not in made]
    plan = prove(live, source.url, accept(expected, schema, others), schema)
    if not plan.is_proven or plan.hazards:
        raise Refused(
            f"{', '.join(sorted(map(name_place, tables)))} cannot be made as in the backup",
            why=plan.problem or "; ".join(_doubts(plan)),
            next="bring the schema to what is declared first: govern repair plan; then run again",
        )
    return MakingTables(
        statements=plan.statements,
        links=tuple(link for change in others if (link := _find_link(change, made))),
    )


def _doubts(plan: RepairPlan) -> tuple[str, ...]:
    remaining = tuple(f"on a copy, {describe_change(change)}" for change in plan.remaining[:3])
    return (*remaining, *(hazard.described for hazard in plan.hazards), *plan.doubts)


def _with_partitions(tables: Collection[Place], changes: Sequence[Change]) -> frozenset[Place]:
    """The tables, and the partitions of them that are missing, too."""
    found = set(tables)
    partitions = {
        (change.key.namespace, change.key.name): split_name(str(change.declared["partition_of"]))
        for change in changes
        if change.action == "removed"
        and change.key.kind == "table"
        and change.declared
        and change.declared.get("partition_of")
    }
    while more := {place for place, whole in partitions.items() if whole in found} - found:
        found |= more
    return frozenset(found)


def _find_link(change: Change, tables: Collection[Place]) -> Link | None:
    """What a change is about if it is a foreign key to one of the tables, which went with it."""
    if change.action != "removed" or change.declared is None or change.declared.get("type") != "foreign key":
        return None
    definition = str(change.declared["definition"])
    if not any(_is_named_in(definition, place) for place in tables):
        return None
    table, name = split_name(change.key.name)
    return Link(place=(change.key.namespace, table), name=name, definition=definition)


def _is_named_in(definition: str, place: Place) -> bool:
    return all(re.search(rf"(?<!\w){re.escape(part)}(?!\w)", definition) for part in place if part)


def _find_table(name: str, known: Collection[Place], backups: Callable[[], Iterable[Backup]]) -> Place:
    parts = split_name(name)
    found = sorted(
        place for place in known
        if name in (place[1], name_place(place)) or place == parts
    )  # fmt: skip
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f"there are several tables {name}",
            next=f"name one with its schema: {', '.join('.'.join(place) for place in found)}",
        )
    if earlier := find_backup_with(name, backups()):
        raise ConfigurationError(
            f"there is no table {name} in the backup or in the live database",
            why=f"the newest backup that has it is {earlier.id}",
            next=f"restore it from there: govern restore {earlier.id} --merge --table {shlex.quote(name)}",
        )
    raise NoSuchName(
        f"there is no table {name} in the backup or in the live database",
        wanted=name,
        known=map(name_place, known),
        next="the backup's tables: govern backup show",
    )
