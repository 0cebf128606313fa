"""Repairs: of a schema that drifted, and those of rows and of definitions that the manifest declares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from govern.api import drifting
from govern.api.command import Narrate, command, silent
from govern.api.due_repairs import plan_within
from govern.api.project import Project, open_database, read_project
from govern.config import Settings
from govern.core.report import Draft, Report
from govern.core.row_repair import SCHEMA_REPAIR
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.errors import ConfigurationError

if TYPE_CHECKING:
    from govern.source.manifest import Repair

Backup = Literal["auto", "off"]


def repair_plan(
    settings: Settings, *, names: tuple[str, ...] = (), every: bool = False, narrate: Narrate = silent
) -> Report:
    """What the named repairs would do; without names, or as ``schema``, the repair of the schema. Changes nothing."""
    if _is_of_schema(names, every=every):
        return drifting.repair_plan(settings, narrate=narrate)
    return _plan_named(settings, names=names, every=every, narrate=narrate)


def repair_apply(
    settings: Settings,
    *,
    names: tuple[str, ...] = (),
    every: bool = False,
    allow: tuple[str, ...] = (),
    batch: int | None = None,
    backup: Backup = "auto",
    most_rows: int | None = None,
    narrate: Narrate = silent,
) -> Report:
    """Backs up and applies the named repairs; without names, or as ``schema``, the repair of the schema.

    ``allow`` names the hazards that may happen. ``batch``: rows a transaction, of repairs of rows; ``most_rows``: a
    plan that touches more is refused.
    """
    if _is_of_schema(names, every=every):
        if batch is not None or backup != "auto":
            raise ConfigurationError(
                "the repair of the schema is one transaction, after a backup",
                why="--batch and --backup are of repairs of rows",
                next="leave them out, or name repairs of the manifest: govern repair list",
            )
        return drifting.repair_apply(settings, allow=allow, narrate=narrate)
    return _apply_named(
        settings,
        names=names,
        every=every,
        allow=allow,
        batch=batch,
        backup=backup,
        most_rows=most_rows,
        narrate=narrate,
    )


@command("repair list")
def repair_list(
    draft: Draft, settings: Settings, *, budget_seconds: float = 60.0, narrate: Narrate = silent
) -> None:
    """The declared repairs with what each would touch now, and the runs that can be rolled back.

    ``budget_seconds``: for all that is counted; of a repair for which no time was left the report says so.
    """
    from govern.actions.repairs.back import list_undoable
    from govern.actions.repairs.pruning import read_kept

    project = read_project(settings)
    live = open_database(project, draft)
    narrate("looking at what there is to repair")
    declared = project.manifest.repairs if project.manifest else ()
    plans = plan_within(live, project.manifest, declared, seconds=budget_seconds) if project.manifest else ()
    draft.data["declared"] = [
        {
            "repair": repair.name,
            "kind": repair.kind,
            "now": f"cannot be applied: {plan}" if isinstance(plan, str) else plan.described(),
            "owner": repair.owner,
            "reason": repair.reason,
        }
        for repair, plan in plans
    ]
    undoable = list_undoable(live)
    kept = {one.undoable.run: one for one in read_kept(live)}
    now = datetime.now(UTC)
    draft.data["applied"] = [
        {
            "run": one.run,
            "repair": one.repair,
            "made_at": one.made_at.isoformat(),
            "kind": one.kind,
            "rows": one.rows,
            "planned": one.planned,
            "state": one.state,
            "copied_rows": kept[one.run].rows if one.run in kept else 0,
            "bytes": kept[one.run].bytes if one.run in kept else 0,
            "age_seconds": int((now - one.made_at).total_seconds()),
        }
        for one in undoable
    ]
    draft.passed("repairs", f"{count_of(len(declared), 'repair')} declared")
    standing = sum(one.has_way_back for one in undoable)
    draft.passed("applied", f"{count_of(standing, 'run')} that can be rolled back")


@command("repair prune")
def repair_prune(
    draft: Draft,
    settings: Settings,
    *,
    older_than: timedelta | None = None,
    runs: tuple[str, ...] = (),
    is_plan: bool = False,
    narrate: Narrate = silent,
) -> None:
    """Removes what repairs keep for their way back: of those older than a span, and of the named ``runs``."""
    from govern.actions.repairs.pruning import prune_copies

    if older_than is None and not runs:
        raise ConfigurationError(
            "there is nothing said about what is to go",
            why="what a repair keeps is its way back, and is never removed by itself",
            next="say how old it must be, --older-than 90d, or name runs of govern repair list",
        )
    project = read_project(settings)
    live = open_database(project, draft)
    prune_copies(
        live,
        draft,
        project.chain,
        project.manifest,
        older_than=older_than,
        runs=runs,
        is_plan=is_plan,
        narrate=narrate,
    )


@command("repair rollback")
def repair_rollback(
    draft: Draft,
    settings: Settings,
    run: str,
    *,
    allow: tuple[str, ...] = (),
    backup: Backup = "auto",
    narrate: Narrate = silent,
) -> None:
    """Takes a repair of rows back by the id of its run. ``allow`` names the hazards that may happen."""
    from govern.actions.repairs.back import roll_back
    from govern.actions.repairs.rows import Wanted

    project = read_project(settings)
    live = open_database(project, draft)
    wanted = Wanted(allow=allow, has_backup=backup == "auto")
    roll_back(live, draft, project.chain, project.manifest, run, wanted, narrate=narrate)


@command("repair plan")
def _plan_named(
    draft: Draft, settings: Settings, *, names: tuple[str, ...], every: bool, narrate: Narrate
) -> None:
    from govern.actions.repairs.named import plan_named

    project = read_project(settings)
    live = open_database(project, draft)
    narrate("looking at what there is to repair")
    repairs = _find(live, project, names, every=every)
    plans = plan_named(live, project.manifest, repairs) if project.manifest else ()
    draft.data["repairs"] = [plan.to_json() for plan in plans]
    for plan in plans:
        draft.passed(plan.repair, plan.described())
    if not plans:
        draft.passed("repair", "no repairs are declared")


@command("repair apply")
def _apply_named(
    draft: Draft,
    settings: Settings,
    *,
    names: tuple[str, ...],
    every: bool,
    allow: tuple[str, ...],
    batch: int | None,
    backup: Backup,
    most_rows: int | None,
    narrate: Narrate,
) -> None:
    from govern.actions.repairs.named import apply_named
    from govern.actions.repairs.rows import Wanted

    project = read_project(settings)
    live = open_database(project, draft)
    repairs = _find(live, project, names, every=every)
    if project.manifest is None or not repairs:
        draft.passed("repair", "no repairs are declared")
        return
    wanted = Wanted(allow=allow, batch=batch, has_backup=backup == "auto", most_rows=most_rows)
    apply_named(live, draft, project.chain, project.manifest, repairs, wanted, narrate=narrate)


def _is_of_schema(names: tuple[str, ...], *, every: bool) -> bool:
    if SCHEMA_REPAIR in names and (every or len(names) > 1):
        raise ConfigurationError(
            "the repair of the schema is applied by itself",
            why="it brings the schema back that repairs of rows rely on",
            next=f"govern repair apply {SCHEMA_REPAIR} first, then the others",
        )
    return not every and names in ((), (SCHEMA_REPAIR,))


def _find(live: LiveDatabase, project: Project, names: tuple[str, ...], *, every: bool) -> tuple[Repair, ...]:
    from govern.actions.repairs.declared import find_repairs

    declared = tuple(repair.name for repair in project.manifest.repairs) if project.manifest else ()
    return find_repairs(live, project.manifest, declared if every else names)
