"""Statements that give a partitioned index the parts it is declared to have, under the names they are declared with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from govern.core.repair import RepairStep
from govern.core.snapshot import Facts, ObjectKey
from govern.database.postgresql.repair.names import (
    address,
    bare_name,
    own_name,
    quote,
    relation,
    relation_key,
)
from govern.database.postgresql.repair.wanted import Side

_DEFERRABLE = re.compile(r" DEFERRABLE(?: INITIALLY DEFERRED)?$")


def create_attachment(key: ObjectKey, _facts: Facts, declared: Side) -> tuple[str, ...]:
    """Of a partition's index that is there, where the partitioned one has no part in that partition."""
    part = next(
        part for whole in ("index", "constraint") if (part := key._replace(kind=whole)) in declared.objects
    )
    parent = quote(*declared.index_parts[part].parent)
    return (f"ALTER INDEX {parent} ATTACH PARTITION {quote(key.namespace, bare_name(part))}",)


def drop_attachment(_key: ObjectKey, _facts: Facts, _live: Side) -> tuple[str, ...]:
    """There is no statement for it: it goes with either of the two, or when the partition is detached."""
    return ()


def attachment_of(key: ObjectKey) -> ObjectKey:
    """What stands, while a repair is planned, for the fact that an index or key is a part of a partitioned one."""
    return key._replace(kind="attached")


def is_named_part(key: ObjectKey, side: Side) -> bool:
    """Of a partitioned index, and not under a name that the server made."""
    return attachment_of(key) in side.objects


def is_completed_by_parts(key: ObjectKey, declared: Side, live: Side) -> bool:
    """Whether a partitioned index becomes valid by what it lacks being attached to it."""
    parts = [part for part, of in declared.index_parts.items() if of.whole == key]
    return bool(parts) and all(
        is_named_part(part, declared) if part not in live.index_parts else live.index_parts[part].is_valid
        for part in parts
    )


def exchange_parts(declared: Side, live: Side) -> Iterator[tuple[RepairStep, ...]]:
    """Where another index than declared is the part: it gets the declared one's name, whose index goes for it.

    A part cannot be detached; but two parts of one partitioned index are alike in all but name and options.
    """
    wanted, existing = (
        {(relation_of(part), of.whole): part for part, of in side.index_parts.items()}
        for side in (declared, live)
    )
    for place in sorted(wanted.keys() & existing.keys()):
        new, old = wanted[place], existing[place]
        named = tuple(sorted({key for key in (old, new) if key in declared.objects or key in live.objects}))
        if new != old and named:
            statements = (*_make_room(new, live), *_take_over(old, new, declared))
            yield tuple(RepairStep(sql=statement, undoes=named) for statement in statements)


def relation_of(key: ObjectKey) -> tuple[str, str]:
    return key.namespace, relation_key(key)


def _make_room(new: ObjectKey, live: Side) -> Iterator[str]:
    """Drops what has the name and is no part of anything."""
    if new in live.objects and not is_named_part(new, live):
        yield (
            f"ALTER TABLE {relation(new)} DROP CONSTRAINT {own_name(new)}"
            if new.kind == "constraint"
            else f"DROP {address(new)}"
        )


def _take_over(old: ObjectKey, new: ObjectKey, declared: Side) -> Iterator[str]:
    alter = f"ALTER TABLE {relation(old)}"
    if old.kind == new.kind == "index":
        yield f"ALTER {address(old)} RENAME TO {own_name(new)}"
    elif old.kind == new.kind:
        yield f"{alter} RENAME CONSTRAINT {own_name(old)} TO {own_name(new)}"
    elif new.kind == "constraint":
        facts = declared.objects[new]
        when = _DEFERRABLE.search(str(facts["definition"]))
        key = f"{str(facts['type']).upper()} USING INDEX {own_name(old)}{when[0] if when else ''}"
        yield f"{alter} ADD CONSTRAINT {own_name(new)} {key}"


def takes_what_there_is(partitioned_index: ObjectKey, side: Side) -> bool:
    """Whether it attaches what it finds in the partitions when it is created. Not one that is created ON ONLY."""
    return side.objects.get(partitioned_index, {}).get("valid") is not False
