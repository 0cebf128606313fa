"""Applies the manifest's repairs one after the other, those of rows and those of the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from govern.actions.repairs.definitions import Prepared, SchemaPlanner, apply_prepared, planning
from govern.actions.repairs.plan import guard_plans, plan_rows
from govern.actions.repairs.rows import Wanted, apply_planned, back_up, conclude, look_before
from govern.core.report import Draft
from govern.core.row_repair import RowPlan
from govern.core.run import Run
from govern.core.schema_repair import SchemaPlan
from govern.database.live import LiveDatabase
from govern.errors import FailedMidway, GovernError
from govern.revisions.graph import Chain

if TYPE_CHECKING:
    from govern.source.manifest import Manifest, Repair

Narrate = Callable[[str], None]


class Plan(Protocol):
    def __call__(self, repair: Repair, seconds: float | None = None) -> RowPlan | SchemaPlan: ...


@contextmanager
def planning_named(live: LiveDatabase, manifest: Manifest) -> Iterator[Plan]:
    """Gives what says of a repair what it would do now, within seconds where rows are read; changes nothing.

    That raises Refused, NotPermitted, CouldNotCheck or ConfigurationError where it cannot be said.
    """
    with planning(live, manifest) as planner:

        def plan(repair: Repair, seconds: float | None = None) -> RowPlan | SchemaPlan:
            return _prepare(live, manifest, repair, planner, seconds).plan

        yield plan


def plan_named(
    live: LiveDatabase, manifest: Manifest, repairs: tuple[Repair, ...]
) -> tuple[RowPlan | SchemaPlan, ...]:
    """The same of several."""
    with planning_named(live, manifest) as plan:
        return tuple(map(plan, repairs))


def apply_named(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest,
    repairs: tuple[Repair, ...],
    wanted: Wanted,
    *,
    narrate: Narrate,
) -> None:
    """Each is a run of its own in the ledger, and rolled back by its id.

    Raises Refused or NotPermitted where nothing was changed, FailedMidway where a part was.
    """
    wait = live.settings.lock_wait_seconds
    with live.dialect.hold_migration_lock(live.url, wait_seconds=wait), planning(live, manifest) as planner:
        narrate("looking at what is to be repaired")
        planned = {repair.name: _prepare(live, manifest, repair, planner) for repair in repairs}
        plans = {name: one.plan for name, one in planned.items()}
        draft.data["repairs"] = [plan.to_json() for plan in plans.values()]
        guard_plans(plans.values(), wanted.allow, most_rows=wanted.most_rows)
        pending = [repair for repair in repairs if not plans[repair.name].is_empty]
        if not pending:
            draft.passed("repair", "there is nothing to repair")
            return
        backup = back_up(live, draft, narrate=narrate) if wanted.has_backup else None
        done: list[Run] = []
        with _concluded(
            live, draft, chain, manifest, done, is_of_schema=any(one.is_of_schema for one in pending)
        ):
            for repair in pending:
                one = planned[repair.name] if not done else _prepare(live, manifest, repair, planner)
                guard_plans([one.plan], wanted.allow)  # another may have changed what it is about
                narrate(f"repairing {repair.name}")
                if isinstance(one, Prepared) and not one.plan.is_empty:
                    done.append(apply_prepared(live, draft, one, backup, narrate=narrate))
                elif isinstance(one, _Rows):
                    done.append(apply_planned(live, draft, manifest, repair, one.plan, backup, wanted))


class _Rows(NamedTuple):
    plan: RowPlan


def _prepare(
    live: LiveDatabase,
    manifest: Manifest,
    repair: Repair,
    planner: SchemaPlanner,
    seconds: float | None = None,
) -> Prepared | _Rows:
    if repair.is_of_schema:
        return planner.prepare(repair)
    return _Rows(plan_rows(live, manifest, repair, seconds=seconds))


@contextmanager
def _concluded(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest,
    done: list[Run],
    *,
    is_of_schema: bool,
) -> Iterator[None]:
    """Looks at the database once all is done, or as much as was, and writes the runs' ends into the ledger."""
    before = look_before(live, chain, manifest)
    try:
        yield
    except GovernError as error:
        if not done:
            raise
        conclude(live, draft, chain, manifest, before, done, is_of_schema=is_of_schema)
        named = ", ".join(name for run in done for name in run.repairs)
        raise FailedMidway(
            error.what,
            why=error.why,
            next=error.next,
            state=f"applied before it: {named}; the rest: {error.state}",
        ) from error
    if done:
        conclude(live, draft, chain, manifest, before, done, is_of_schema=is_of_schema)
