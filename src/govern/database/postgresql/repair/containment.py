"""What an object is inside of, a part of, or made by: with that it comes and goes."""

from __future__ import annotations

from govern.core.snapshot import (
    ABOUT_AN_OBJECT,
    INSIDE_A_RELATION,
    RELATIONS,
    ObjectKey,
    join_name,
    split_name,
)
from govern.database.postgresql.repair.names import described, relation_key
from govern.database.postgresql.repair.parts import wholes_of
from govern.database.postgresql.repair.wanted import Side


def container(key: ObjectKey, *sides: Side) -> ObjectKey | None:
    """What ``key`` is a part or an inside of, and goes with."""
    if wholes := wholes_of(key):
        return next((whole for whole in wholes for side in sides if whole in side.objects), None)
    if key.kind in ABOUT_AN_OBJECT:
        return described(key)
    if key.kind == "sequence":
        return next((column for side in sides if (column := _owning_column(key, side)) is not None), None)
    if key.kind in INSIDE_A_RELATION:
        for side in sides:
            for owner in owners_of(key):
                if owner in side.objects:
                    return owner
    return None


def owners_of(key: ObjectKey) -> tuple[ObjectKey, ...]:
    return tuple(ObjectKey(kind, key.namespace, relation_key(key)) for kind in RELATIONS)


def _owning_column(sequence: ObjectKey, side: Side) -> ObjectKey | None:
    owned = side.objects.get(sequence._replace(kind="owned"))
    if owned is None:
        return None
    namespace, *names = split_name(str(owned["owned_by"]))
    return ObjectKey("column", namespace, join_name(*names))
