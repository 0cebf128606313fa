"""Tries statements on a scratch copy, in a transaction that is always rolled back, until nothing differs."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from govern.core.changes import Change, diff
from govern.core.declared_keys import read_declared_keys
from govern.core.hazard import Hazard, hazards_of_revoking
from govern.core.repair import RepairStep
from govern.core.restoration import Place
from govern.core.snapshot import ABOUT_AN_OBJECT, ObjectKey, join_name
from govern.database.connection import Connection
from govern.database.postgresql.repair.attribution import attribute_rest
from govern.database.postgresql.repair.losses import find_losses, read_holdings
from govern.database.postgresql.repair.planning import Group, plan_steps
from govern.database.postgresql.repair.renames import find_renames
from govern.database.postgresql.repair.seeds import drop_rows
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
    orphaned: frozenset[Place] = frozenset()
    """Tables whose made-up row has no parent: a foreign key of theirs was tried without it."""
    remakes_tables: bool
    """Whether a table was dropped whose name there is still: with its rows, for nothing."""


def try_repair(
    copy: Connection,
    declared: Side,
    live: Side,
    table: VersionTable,
    first: tuple[RepairStep, ...] = (),
    rowless: frozenset[Place] = frozenset(),
) -> Trial | None:
    """Somebody else's statements, if any, completed by ours.

    None where one of the former does not run, or where they spoil what was as it should be: they may not know of
    what is accepted. ``live`` is what the copy is, and afterwards is again. ``rowless``: tables that have rows in
    the live database, and took no made-up one.
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
            work = _Work(copy, declared, table, undone, rowless)
            work.complete(now)
            after = read_holdings(copy)
            losses = find_losses(before, after)
            work.complete_without_orphans()
            remaining = work.remaining
            trial = Trial(
                steps=attribute_rest((*first, *work.steps), undone, declared, live),
                remaining=remaining,
                losses=(*losses, *hazards_of_revoking(_gone(changes, remaining))),
                remakes_tables=any(
                    loss.name == "drops-table" and loss.subject in after.tables.values() for loss in losses
                ),
                doubts=tuple(work.doubts),
                orphaned=frozenset(work.orphaned),
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


class _Work:
    """Our own steps on a copy, and what they leave."""

    def __init__(
        self,
        copy: Connection,
        declared: Side,
        table: VersionTable,
        undone: frozenset[ObjectKey],
        rowless: frozenset[Place],
    ) -> None:
        self._copy = copy
        self._declared = declared
        self._table = table
        self._undone = undone
        self._rowless = rowless
        self.steps: list[RepairStep] = []
        self.remaining: tuple[Change, ...] = ()
        self.doubts: dict[str, None] = {}
        """What may have been renamed."""
        self.orphaned: set[Place] = set()
        """Tables whose made-up row has no parent, so that a foreign key of theirs could not be added."""

    def complete(self, live: Side) -> None:
        """Goes on until nothing differs, or nothing changes any more."""
        self._copy.execute(_UNCHECKED_BODIES.sql)
        for _ in range(_ROUNDS):
            if live.snapshot.objects == self._declared.snapshot.objects:
                break
            renames = find_renames(self._declared, live)
            self.doubts |= dict.fromkeys(renames.doubts)
            self._copy.execute("SAVEPOINT round")
            renamed = self._run(renames.groups)
            now = self._read() if renamed else live
            done = (*renamed, *self._run(plan_steps(self._declared, now, self._undone)))
            now = self._read() if done else now
            if now.snapshot.objects == live.snapshot.objects:
                self._copy.execute("ROLLBACK TO SAVEPOINT round")
                break
            self.steps += done
            live = now
        self.remaining = diff(self._declared.snapshot, live.snapshot)
        if _UNCHECKED_BODIES not in self.steps and any(map(_makes_a_routine, self.steps)):
            self.steps.insert(0, _UNCHECKED_BODIES)

    def complete_without_orphans(self) -> None:
        """The same for foreign keys alone, which lose nothing: made-up rows need not have parents."""
        if self.orphaned:
            drop_rows(self._copy, self.orphaned)
            self.complete(self._read())

    def _read(self) -> Side:
        return read_side(self._copy, self._table)

    def _run(self, groups: tuple[Group, ...]) -> list[RepairStep]:
        """Those that the server took; another round may find a way for the others."""
        done: list[RepairStep] = []
        for group in groups:
            self._copy.execute("SAVEPOINT step")
            try:
                for step in group:
                    self._copy.execute(step.sql)
            except psycopg.errors.ForeignKeyViolation as error:
                self._copy.execute("ROLLBACK TO SAVEPOINT step")
                self._note_orphan(error.diag)
            except psycopg.Error:
                self._copy.execute("ROLLBACK TO SAVEPOINT step")
            else:
                done += group
            self._copy.execute("RELEASE SAVEPOINT step")
        return done

    def _note_orphan(self, said: psycopg.errors.Diagnostic) -> None:
        """A made-up row has no parent because that table took none: real rows may well have theirs."""
        child = (said.schema_name or "", said.table_name or "")
        key = ObjectKey("constraint", child[0], join_name(child[1], said.constraint_name or ""))
        reference = read_declared_keys(self._declared.snapshot).references.get(key)
        if reference is not None and reference.parent in self._rowless:
            self.orphaned.add(child)


def _makes_a_routine(step: RepairStep) -> bool:
    return step.sql.startswith(("CREATE OR REPLACE FUNCTION", "CREATE OR REPLACE PROCEDURE"))
