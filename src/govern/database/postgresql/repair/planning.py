"""The statements that turn one schema into another, each with the objects it is there for."""

from __future__ import annotations

from collections.abc import Iterator

from govern.core.repair import RepairStep
from govern.core.snapshot import ABOUT_AN_OBJECT, ObjectKey
from govern.database.postgresql.repair.containment import container
from govern.database.postgresql.repair.decisions import Decisions
from govern.database.postgresql.repair.kinds import RANKS, describe
from govern.database.postgresql.repair.names import described
from govern.database.postgresql.repair.operations import find_operations
from govern.database.postgresql.repair.ordering import put_in_order
from govern.database.postgresql.repair.precedence import find_precedence
from govern.database.postgresql.repair.wanted import Side

_ABOUT = ABOUT_AN_OBJECT | {"default-privileges"}

Group = tuple[RepairStep, ...]
"""Steps that make sense together only."""


def plan_steps(declared: Side, live: Side, undone: frozenset[ObjectKey]) -> tuple[Group, ...]:
    """All statements in order. ``undone`` are the changes' keys, one or more of which each step is there for.

    Objects of a kind that has no statements are passed over: what remains is for the proof to say.
    """
    decided = Decisions(declared, live, undone)
    decided.decide()
    return (*_steps(decided), *_descriptions(decided))


def _steps(decided: Decisions) -> Iterator[Group]:
    operations = find_operations(decided)
    ranks = [operation.rank for operation in operations]
    for number in put_in_order(ranks, find_precedence(decided, operations)):
        operation = operations[number]
        undoes = tuple(sorted(decided.cause(operation.key)))
        yield tuple(RepairStep(sql=statement, undoes=undoes) for statement in operation.statements)


def _descriptions(decided: Decisions) -> Iterator[Group]:
    declared = {key: facts for key, facts in decided.declared.objects.items() if key.kind in _ABOUT}
    live = {
        key: facts
        for key, facts in decided.live.objects.items()
        if key.kind in _ABOUT and not _is_about_something_gone(decided, key)
    }
    for key in sorted(declared.keys() | live.keys(), key=_order_of_description):
        wanted, existing = declared.get(key), live.get(key)
        if wanted == existing or (wanted is None and _is_about_something_gone(decided, key)):
            continue
        about = frozenset() if key.kind == "default-privileges" else decided.cause(described(key))
        undoes = tuple(sorted(decided.cause(key) | about))
        statements = describe(key, wanted, existing, decided.declared, decided.live)
        yield tuple(RepairStep(sql=statement, undoes=undoes) for statement in statements)


def _is_about_something_gone(decided: Decisions, key: ObjectKey) -> bool:
    if key.kind == "default-privileges":
        return False
    target: ObjectKey | None = described(key)
    while target is not None:
        if target in decided.gone:
            return True
        target = container(target, decided.live)
    return False


def _order_of_description(key: ObjectKey) -> tuple[int, bool, ObjectKey]:
    """Tables before their columns: what is revoked of a table is revoked of its columns."""
    return RANKS[key.kind], key.name.startswith("column "), key
