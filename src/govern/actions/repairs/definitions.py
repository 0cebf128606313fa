"""Repairs of the schema that the manifest declares: planned on a copy, and applied stage after stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from govern.actions.repairs.aims import AIMS, Aim, Asking
from govern.actions.repairs.rebuilding import aim_at_broken_indexes
from govern.actions.repairs.schema import (
    Differences,
    find_differences,
    prove,
    recording_definitions,
    start_definitions,
    why_not_proven,
)
from govern.actions.repairs.stages import Narrate, Undertaking, carry_out
from govern.core.changes import describe_change
from govern.core.hazard import Hazard
from govern.core.report import Draft
from govern.core.run import Run
from govern.core.schema_repair import REBUILD_KIND, SchemaPlan, Stage
from govern.core.snapshot import ObjectKey, join_name
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.declared import Declared, beside, declared_by_revisions
from govern.source.scope import read_scope

if TYPE_CHECKING:
    from govern.source.manifest import Manifest, Repair


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan, and what it takes to carry it out; None where it cannot be, or there is nothing to do."""

    plan: SchemaPlan
    undertaking: Undertaking | None = None


class SchemaPlanner:
    """Plans repairs against the schema of the stamped revision, which is made once, when the first of them asks."""

    def __init__(self, live: LiveDatabase, manifest: Manifest | None, today: date, stack: ExitStack) -> None:
        self._live = live
        self._scope = read_scope(live.settings, manifest)
        self._today = today
        self._stack = stack
        self._declared: Declared | None = None

    def prepare(self, repair: Repair) -> Prepared:
        """Changes nothing. Raises CouldNotCheck where the revisions cannot be replayed."""
        if repair.kind == REBUILD_KIND:
            return self._prepare_rebuilding(repair)
        declared = self._open()
        differences = find_differences(self._live, declared, self._scope, self._today)
        asking = Asking(
            live=self._live,
            repair=repair,
            declared=differences.expected,
            schema=differences.schema,
            changes=differences.open,
        )
        aim = AIMS[repair.kind](asking)
        if aim.obstacles or not aim.chosen:
            return Prepared(plan=_describe(repair, aim, (), aim.obstacles, ()))
        return self._prove(repair, declared, differences, aim)

    def _open(self) -> Declared:
        if self._declared is None:
            live = self._live
            opened = declared_by_revisions(live.settings, live.read_stamped(), like=live.url)
            self._declared = self._stack.enter_context(opened)
        return self._declared

    def _prove(self, repair: Repair, declared: Declared, differences: Differences, aim: Aim) -> Prepared:
        live = self._live
        keys = {change.key for change in aim.chosen}
        wanted = differences.accept_all_but(lambda change: change.key in keys)
        conversions = {
            ObjectKey("column", one.place[0], join_name(one.place[1], one.column)): one.by
            for one in aim.conversions
        }
        proof = prove(live, declared.url, wanted, differences.schema, conversions)
        if not proof.is_proven:
            obstacle = f"it is not proven: {why_not_proven(proof)}"
            return Prepared(plan=_describe(repair, aim, (), (obstacle,), proof.locks))
        stages = (
            live.dialect.schema_work().arrange(proof.statements)
            if aim.is_gentle
            else (Stage(statements=proof.statements),)
        )
        hazards = (*(one for one in proof.hazards if one not in aim.settled), *aim.hazards)
        waits = _say_waits(live, stages)
        plan = _describe(repair, aim, stages, (), proof.locks, hazards=hazards, notes=waits)
        undertaking = Undertaking(
            repair=repair.name,
            kind=repair.kind,
            stages=stages,
            schema=differences.schema,
            aim=wanted,
            beside=beside(declared),
            conversions=aim.conversions,
            kept=aim.kept,
        )
        return Prepared(plan=plan, undertaking=undertaking)

    def _prepare_rebuilding(self, repair: Repair) -> Prepared:
        stages, plan = aim_at_broken_indexes(self._live, repair)
        if not stages:
            return Prepared(plan=plan)
        schema = self._live.read_snapshot()
        undertaking = Undertaking(
            repair=repair.name,
            kind=repair.kind,
            stages=stages,
            schema=schema,
            aim=schema,
            beside=lambda: nullcontext(self._live.url),
        )
        return Prepared(plan=plan, undertaking=undertaking)


@contextmanager
def planning(live: LiveDatabase, manifest: Manifest | None) -> Iterator[SchemaPlanner]:
    """For as long as the declared schema is needed."""
    with ExitStack() as stack:
        yield SchemaPlanner(live, manifest, datetime.now().astimezone().date(), stack)


def apply_prepared(
    live: LiveDatabase, draft: Draft, prepared: Prepared, backup: str | None, *, narrate: Narrate
) -> Run:
    """Returns its run, whose end is not written down yet. Raises HeldUp, NotPermitted or FailedMidway."""
    undertaking = prepared.undertaking
    assert undertaking is not None  # noqa: S101 - an empty plan is not applied
    run = start_definitions(live, undertaking, backup)
    draft.data["run"] = run.to_json()
    draft.data["run"] = run.to_json()
    with recording_definitions(live, run):
        undoable = carry_out(live, undertaking, run, narrate=narrate)
    back = f"; back: govern repair rollback {run.id}" if undoable.has_way_back else ""
    stages = count_of(len(undertaking.stages), "stage")
    draft.passed(f"repair {undertaking.repair}", f"{'; '.join(prepared.plan.undoes)}, in {stages}{back}")
    return run


def _describe(
    repair: Repair,
    aim: Aim,
    stages: tuple[Stage, ...],
    obstacles: tuple[str, ...],
    locks: tuple[str, ...],
    *,
    hazards: tuple[Hazard, ...] = (),
    notes: Iterable[str] = (),
) -> SchemaPlan:
    return SchemaPlan(
        repair=repair.name,
        kind=repair.kind,
        stages=stages,
        undoes=tuple(map(describe_change, aim.chosen)),
        tables=aim.tables,
        locks=() if aim.is_gentle else locks,
        hazards=hazards or aim.hazards,
        obstacles=obstacles,
        notes=(*aim.notes, *notes),
        allowed=repair.allow,
    )


def _say_waits(live: LiveDatabase, stages: tuple[Stage, ...]) -> Iterator[str]:
    """The bounds of what the stages wait for."""
    settings = live.settings
    if any(stage.is_transaction for stage in stages):
        yield (
            f"a lock is waited for {settings.lock_timeout_seconds:g} s at a time, in which others queue, "
            f"and {settings.lock_retry_seconds:g} s in all"
        )
    if any(not stage.is_transaction for stage in stages):
        yield f"older transactions are waited for, {settings.lock_retry_seconds:g} s at most; nobody queues meanwhile"
