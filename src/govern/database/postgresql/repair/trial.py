"""Tries statements on a scratch copy, in a transaction that is always rolled back, until nothing differs."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from govern.core.changes import Change, diff
from govern.core.hazard import Hazard, hazards_of_revoking
from govern.core.repair import RepairStep
from govern.core.snapshot import ABOUT_AN_OBJECT, ObjectKey
from govern.database.connection import Connection
from govern.database.postgresql.repair.attribution import attribute_rest
from govern.database.postgresql.repair.losses import find_losses, read_holdings
from govern.database.postgresql.repair.planning import Group, plan_steps
from govern.database.postgresql.repair.renames import find_renames
from govern.database.postgresql.repair.wanted import Side, read_side
from govern.database.version_table import VersionTable

_ROUNDS = 3
_UNCHECKED_BODIES = RepairStep(sql="SET LOCAL check_function_bodies = off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of a copy."""

    steps: tuple[RepairStep, ...]
    """Those that ran."""
    remaining: tuple[Change, ...]
    losses: tuple[Hazard, ...]
    doubts: tuple[str, ...] = ()
    remakes_tables: bool
    """Whether a table was dropped whose name there is still: with its rows, for nothing."""


def try_repair(
    copy: Connection,
    declared: Side,
    live: Side,
    table: VersionTable,
    first: tuple[RepairStep, ...] = (),
) -> Trial | None:
    """Somebody else's statements, if any, completed by ours.

    None where one of the former does not run, or where they spoil what was as it should be: they may not know of
    what is accepted. ``live`` is what the copy is, and afterwards is again.
    """
    changes = diff(declared.snapshot, live.snapshot)
    undone = frozenset(change.key for change in changes)
    trial = None
    with copy.transaction():
        copy.execute("SAVEPOINT trial")
        before = read_holdings(copy)
        if _run_all(copy, first):
            now = read_side(copy, table) if first else live
            if _spoils(live, now, declared):
                copy.execute("ROLLBACK TO SAVEPOINT trial")
                return None
            steps, remaining, doubts = _complete(copy, declared, now, table, undone)
            after = read_holdings(copy)
            losses = find_losses(before, after)
            trial = Trial(
                steps=attribute_rest((*first, *steps), undone, declared, live),
                remaining=remaining,
                losses=(*losses, *hazards_of_revoking(_gone(changes, remaining))),
                remakes_tables=any(
                    loss.name == "drops-table" and loss.subject in after.tables.values() for loss in losses
                ),
                doubts=doubts,
            )
        copy.execute("ROLLBACK TO SAVEPOINT trial")
    return trial


def _spoils(before: Side, now: Side, declared: Side) -> bool:
    """Whether an object was as declared before and no longer is; what is said about objects can be said again."""
    if now is before:
        return False
    wanted, existing = declared.snapshot.objects, before.snapshot.objects
    return any(
        now.snapshot.objects.get(key) != facts
        for key, facts in existing.items()
        if key.kind not in ABOUT_AN_OBJECT and wanted.get(key) == facts
    )


def _gone(changes: tuple[Change, ...], remaining: tuple[Change, ...]) -> list[Change]:
    left = {change.key for change in remaining}
    return [change for change in changes if change.key not in left]


def _run_all(copy: Connection, steps: tuple[RepairStep, ...]) -> bool:
    copy.execute("SAVEPOINT first")
    try:
        for step in steps:
            copy.execute(step.sql)
    except psycopg.Error:
        copy.execute("ROLLBACK TO SAVEPOINT first")
        return False
    return True


def _complete(
    copy: Connection, declared: Side, live: Side, table: VersionTable, undone: frozenset[ObjectKey]
) -> tuple[tuple[RepairStep, ...], tuple[Change, ...], tuple[str, ...]]:
    """Our steps, what they leave, and what may have been renamed."""
    steps: list[RepairStep] = []
    doubts: dict[str, None] = {}
    copy.execute(_UNCHECKED_BODIES.sql)
    for _ in range(_ROUNDS):
        if live.snapshot.objects == declared.snapshot.objects:
            break
        renames = find_renames(declared, live)
        doubts |= dict.fromkeys(renames.doubts)
        copy.execute("SAVEPOINT round")
        renamed = _run(copy, renames.groups)
        now = read_side(copy, table) if renamed else live
        done = (*renamed, *_run(copy, plan_steps(declared, now, undone)))
        now = read_side(copy, table) if done else now
        if now.snapshot.objects == live.snapshot.objects:
            copy.execute("ROLLBACK TO SAVEPOINT round")
            break
        steps += done
        live = now
    if any(_makes_a_routine(step) for step in steps):
        steps.insert(0, _UNCHECKED_BODIES)
    return tuple(steps), diff(declared.snapshot, live.snapshot), tuple(doubts)


def _makes_a_routine(step: RepairStep) -> bool:
    return step.sql.startswith(("CREATE OR REPLACE FUNCTION", "CREATE OR REPLACE PROCEDURE"))


def _run(copy: Connection, groups: tuple[Group, ...]) -> list[RepairStep]:
    """Those that the server took; another round may find a way for the others."""
    done: list[RepairStep] = []
    for group in groups:
        copy.execute("SAVEPOINT step")
        try:
            for step in group:
                copy.execute(step.sql)
        except psycopg.Error:
            copy.execute("ROLLBACK TO SAVEPOINT step")
        else:
            done += group
        copy.execute("RELEASE SAVEPOINT step")
    return done
