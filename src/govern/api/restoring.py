"""Commands that restore: in earnest, or to prove that it can be done."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from govern.actions.backup import Level, bring_here, find_damaged, reading
from govern.actions.drill import drill, verify_many
from govern.actions.proof import prepare_proof, prove, tell_proof
from govern.actions.restore import (
    Wanted,
    find_fitting,
    plan_restore,
    plan_rows,
    restore_database,
    restore_rows,
)
from govern.api.backups import read_backups
from govern.api.command import Narrate, command, silent
from govern.api.project import describe_target, guard_chain, open_database, read_project
from govern.config import Settings
from govern.core.report import Draft, Entry
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target
from govern.errors import Unreachable

if TYPE_CHECKING:
    from govern.core.run import Run


@command("restore")
def restore(
    draft: Draft,
    settings: Settings,
    backup_id: str = "latest",
    *,
    plan: bool = False,
    merge: bool = False,
    tables: tuple[str, ...] = (),
    upgrade: bool = False,
    allow: tuple[str, ...] = (),
    narrate: Narrate = silent,
) -> None:
    """Puts a backup in the place of the target, which is kept under another name, or made if there is none.

    ``merge``: only the rows that the target lacks are taken over. ``tables``: these alone. ``upgrade``: what takes the
    place is brought to the newest revision before; rows are always brought to the live one's. ``plan`` only says what
    would change. ``allow`` names the tables whose newer rows may go out of use. Raises Refused, ConfigurationError or
    CouldNotCheck where nothing was changed, FailedMidway otherwise.
    """
    project = read_project(settings)
    guard_chain(project, draft)
    live = LiveDatabase(settings, resolve_target(settings))
    is_whole = not (merge or tables)
    bring_here(settings, backup_id, narrate=narrate)
    backup = find_fitting(
        settings, draft, live.dialect, project.chain, backup_id, is_whole=is_whole, allow=allow
    )
    with contextlib.suppress(Unreachable):  # then there is nothing to describe, and all the more to restore
        describe_target(live, project, draft)
    wanted = Wanted(tables=tables, merges=merge, allow=allow)
    chain = project.chain
    probing = None if plan else prepare_proof(settings, project.manifest, "restore")
    run: Run | None = None
    with reading(backup):
        match is_whole, plan:
            case True, True:
                plan_restore(live, draft, chain, backup, upgrade=upgrade, narrate=narrate)
            case True, False:
                run = restore_database(
                    live,
                    draft,
                    chain,
                    project.manifest,
                    backup,
                    allow=allow,
                    upgrade=upgrade,
                    narrate=narrate,
                )
            case False, True:
                plan_rows(live, draft, chain, backup, wanted, narrate=narrate)
            case _:
                run = restore_rows(live, draft, chain, project.manifest, backup, wanted, narrate=narrate)
    if run is not None and probing is not None:
        run, _ = prove(live, draft, run, probing, narrate=narrate)
        tell_proof(run, draft)
    if not plan:
        describe_target(live, project, draft)


@command("backup verify")
def backup_verify_many(
    draft: Draft,
    settings: Settings,
    *,
    level: Level = "content",
    only_due: bool = False,
    budget_minutes: float | None = None,
    narrate: Narrate = silent,
) -> None:
    """Proves every backup of the target again, newest first; ``only_due``: those that the manifest's schedule names."""
    project = read_project(settings)
    live = open_database(project, draft)
    verify_every = read_backups(project).schedule.verify_every if only_due else None
    if damaged := find_damaged(settings):
        draft.add(Entry.of("backups", damaged))
    verify_many(
        live,
        draft,
        level=level,
        verify_every=verify_every,
        budget_seconds=None if budget_minutes is None else budget_minutes * 60,
        narrate=narrate,
    )


@command("backup drill")
def backup_drill(
    draft: Draft, settings: Settings, backup_id: str = "latest", *, narrate: Narrate = silent
) -> None:
    """Restores a backup as in earnest, up to the exchange, which is not made; says how long that took."""
    project = read_project(settings)
    guard_chain(project, draft)
    live = LiveDatabase(settings, resolve_target(settings))
    with contextlib.suppress(Unreachable):  # a drill for the day on which it is gone
        describe_target(live, project, draft)
    drill(live, draft, project.chain, project.manifest, backup_id, narrate=narrate)
