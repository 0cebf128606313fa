"""Gives changes that went away with others the steps that took them."""

from __future__ import annotations

from dataclasses import replace

from govern.core.repair import RepairStep
from govern.core.snapshot import INSIDE_A_RELATION, ObjectKey
from govern.database.postgresql.repair.names import relation_key
from govern.database.postgresql.repair.parts import parts_of
from govern.database.postgresql.repair.wanted import Side


def attribute_rest(
    steps: tuple[RepairStep, ...], undone: frozenset[ObjectKey], declared: Side, live: Side
) -> tuple[RepairStep, ...]:
    """Every key of ``undone`` with at least one step: those of what it needs or is needed by, else of its table.

    A dropped column takes its sequence with it, a renamed one gives its indexes another text.
    """
    missing = undone - {key for step in steps for key in step.undoes}
    for key in sorted(missing):
        near = _neighbours(key, declared) | _neighbours(key, live)
        found = [step for step in steps if not near.isdisjoint(step.undoes)]
        found = found or [step for step in steps if any(_relation(key) == _relation(o) for o in step.undoes)]
        steps = tuple(replace(step, undoes=(*step.undoes, key)) if step in found else step for step in steps)
    return steps


def _neighbours(key: ObjectKey, side: Side) -> set[ObjectKey]:
    parts = {key, *parts_of(key)}
    return {a for a, b in side.edges if b in parts} | {b for a, b in side.edges if a in parts}


def _relation(key: ObjectKey) -> tuple[str, str]:
    return key.namespace, relation_key(key) if key.kind in INSIDE_A_RELATION else key.name
