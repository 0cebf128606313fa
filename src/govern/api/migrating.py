"""Commands that move a database along the revision chain, and what they left in the ledger."""

from __future__ import annotations

from govern.actions import lock as lock_action
from govern.actions import migrate as migrate_action
from govern.actions.migrate import BackupPolicy
from govern.actions.plan import make_plan, plan_json
from govern.actions.revise import write_revision
from govern.actions.stamp import stamp_database
from govern.actions.validate import validate
from govern.api.command import Narrate, command, local_today, silent
from govern.api.project import (
    Project,
    describe_target,
    guard_chain,
    open_database,
    read_project,
)
from govern.config import Settings
from govern.core.report import Draft
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.target import create_target, declared_like
from govern.source.scope import read_scope


@command("plan")
def plan(draft: Draft, settings: Settings, *, to: str = "heads", narrate: Narrate = silent) -> None:
    """The pending revisions and the statements they run on a scratch database."""
    project = read_project(settings)
    live = open_database(project, draft)
    guard_chain(project, draft, live)
    _plan(draft, live, project, to=to, narrate=narrate)


@command("migrate")
def migrate(
    draft: Draft,
    settings: Settings,
    *,
    to: str = "heads",
    backup: BackupPolicy = "auto",
    dry_run: bool = False,
    narrate: Narrate = silent,
) -> None:
    """The guarded migration. Raises Refused before anything is touched, FailedMidway after.

    ``dry_run`` stops at the plan.
    """
    project = read_project(settings)
    guard_chain(project, draft)
    if not dry_run:
        create_target(settings)
    live = open_database(project, draft)
    guard_chain(project, draft, live)
    if dry_run:
        _plan(draft, live, project, to=to, narrate=narrate)
        return
    migrate_action.migrate(
        live, draft, project.chain, project.manifest, to=to, backup=backup, narrate=narrate
    )
    describe_target(live, project, draft)


@command("stamp")
def stamp(draft: Draft, settings: Settings, revision: str, *, narrate: Narrate = silent) -> None:
    """Writes the version row of a database whose schema is that revision's already; refuses if it is not."""
    project = read_project(settings)
    live = open_database(project, draft)
    guard_chain(project, draft)
    stamp_database(
        live,
        draft,
        project.chain,
        revision,
        scope=read_scope(settings, project.manifest),
        today=local_today(),
        narrate=narrate,
    )
    describe_target(live, project, draft)


@command("revision")
def revision(draft: Draft, settings: Settings, message: str, *, narrate: Narrate = silent) -> None:
    """Writes the revision that brings the newest one to what the models say, for a person to review."""
    project = read_project(settings)
    if project.chain.files:
        guard_chain(project, draft)
    narrate("comparing the models with the newest revision in a scratch database")
    path = write_revision(settings, project.chain, message)
    draft.data["path"] = settings.relative(path)
    draft.passed("revision", f"{settings.relative(path)}: review it, then run govern check")


@command("lock")
def lock(draft: Draft, settings: Settings, *, narrate: Narrate = silent) -> None:
    """Writes schema.lock and govern.sum."""
    project = read_project(settings)
    narrate("creating the models' schema in a scratch database")
    declared = lock_action.write_lock(settings, draft, like=declared_like(settings), chain=project.chain)
    draft.unmodelled = declared.unmodelled


@command("history")
def history(draft: Draft, settings: Settings, *, limit: int = 20) -> None:
    """The ledger, newest first."""
    live = open_database(read_project(settings), draft)
    with live.connect() as connection:
        runs = live.dialect.read_runs(connection, limit)
    draft.data["runs"] = [run.to_json() for run in runs]
    draft.passed(
        "history",
        count_of(len(runs), "run") if runs else "the ledger is empty: nothing was done by govern yet",
    )


def _plan(draft: Draft, live: LiveDatabase, project: Project, *, to: str, narrate: Narrate) -> None:
    made = make_plan(live, project.chain, to=to, narrate=narrate)
    draft.data["plan"] = plan_json(made)
    if not made.steps:
        validate(
            live, draft, project.manifest
        )  # an emptied database that says head is not where it should be
    draft.passed(
        "plan", count_of(len(made.steps), "pending revision") if made.steps else "nothing is pending"
    )
