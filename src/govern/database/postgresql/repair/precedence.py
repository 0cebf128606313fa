"""Which operation must come before which."""

from __future__ import annotations

from collections.abc import Iterator

from govern.core.snapshot import ObjectKey
from govern.database.postgresql.repair.attachments import relation_of, takes_what_there_is
from govern.database.postgresql.repair.containment import owners_of
from govern.database.postgresql.repair.decisions import Decisions
from govern.database.postgresql.repair.names import bare_name
from govern.database.postgresql.repair.operations import Operation


def find_precedence(decided: Decisions, operations: list[Operation]) -> Iterator[tuple[int, int]]:
    """Pairs of numbers of operations: the first must come before the second."""
    drops = {o.key: n for n, o in enumerate(operations) if o.verb == "drop"}
    makes = {o.key: n for n, o in enumerate(operations) if o.verb in ("create", "alter")}
    alters = {o.key: n for n, o in enumerate(operations) if o.verb == "alter"}
    for user, needed in decided.live.edges:
        if (first := _dropper(decided, user, drops)) is not None:
            for later in (_dropper(decided, needed, drops), alters.get(needed)):
                if later is not None:
                    yield first, later
        if (first := alters.get(user)) is not None and (last := drops.get(needed)) is not None:
            yield first, last
    taken = _taken_by_new_indexes(decided, operations)
    reversed_edges = {(part, whole) for whole, part in taken}
    for user, needed in (*(decided.declared.edges - reversed_edges), *taken):
        first_made, then_made = _maker(decided, needed, makes), _maker(decided, user, makes)
        if first_made is not None and then_made is not None:
            yield first_made, then_made
    for key, columns in decided.replaced.items():
        yield from ((alters[key], alters[column]) for column in columns if column in alters)
    yield from _names_made_free(operations, drops)
    yield from _kept_apart(decided, operations)


def _taken_by_new_indexes(
    decided: Decisions, operations: list[Operation]
) -> set[tuple[ObjectKey, ObjectKey]]:
    """(partitioned index, part): what is there before a partitioned index becomes its part."""
    created = {o.key for o in operations if o.verb == "create"}
    parts = decided.declared.index_parts
    taken = {
        part: of.whole
        for part, of in parts.items()
        if of.whole in created and takes_what_there_is(of.whole, decided.declared)
    }
    above = {
        (needed, part) for part in taken for needed in decided.declared.needs.get(part, ()) if needed in taken
    }
    return above | {(whole, part) for part, whole in taken.items()}


def _kept_apart(decided: Decisions, operations: list[Operation]) -> Iterator[tuple[int, int]]:
    """A new partitioned index would take to itself what is like it and shall stand beside its part."""
    created = {o.key: n for n, o in enumerate(operations) if o.verb == "create"}
    wholes: dict[tuple[str, str], list[int]] = {}
    for part, of in decided.declared.index_parts.items():
        if of.whole in created:
            wholes.setdefault(relation_of(part), []).append(created[of.whole])
    for key, number in created.items():
        if key.kind in ("index", "constraint") and key not in decided.declared.index_parts:
            yield from ((whole, number) for whole in wholes.get(relation_of(key), ()))


def _maker(decided: Decisions, key: ObjectKey, makes: dict[ObjectKey, int]) -> int | None:
    """The operation that makes or alters a key, perhaps as a part of its table."""
    if (number := makes.get(key)) is not None:
        return number
    if key.kind == "default":
        return _maker(decided, ObjectKey("column", key.namespace, key.name), makes)
    if key.kind == "column" and key not in decided.live.objects:
        return next((makes[owner] for owner in owners_of(key) if owner in makes), None)
    return None


def _dropper(decided: Decisions, key: ObjectKey, drops: dict[ObjectKey, int]) -> int | None:
    """The operation that drops a key, perhaps with what it is a part of."""
    if key not in decided.gone:
        return None
    if (number := drops.get(key)) is not None:
        return number
    found = (_dropper(decided, whole, drops) for whole in decided.wholes(key))
    return next((number for number in found if number is not None), None)


def _names_made_free(operations: list[Operation], drops: dict[ObjectKey, int]) -> Iterator[tuple[int, int]]:
    """A name is free once what had it is dropped, whatever kind that was."""
    by_name: dict[tuple[str, str], list[int]] = {}
    for key, number in drops.items():
        by_name.setdefault((key.namespace, bare_name(key)), []).append(number)
    for number, operation in enumerate(operations):
        if operation.verb == "create":
            key = operation.key
            for first in by_name.get((key.namespace, bare_name(key)), ()):
                yield first, number
