"""Commands that move a database along the revision chain, and what they left in the ledger."""

from __future__ import annotations

from pathlib import Path

from govern.actions import lock as lock_action
from govern.actions.baseline import adopt_database
from govern.actions.guards import Asking, ask_after, ask_before, ask_for_lock
from govern.actions.migrate import migrate as migrate_database
from govern.actions.plan import make_plan, plan_json
from govern.actions.precautions import BackupPolicy, OnFailure, Precautions
from govern.actions.proof import prepare_proof
from govern.actions.prune import tell_prunable
from govern.actions.rehearse import RehearsalChoice, conclude
from govern.actions.rehearse import rehearse as rehearse_revisions
from govern.actions.resume import find_resumption
from govern.actions.revise import write_revision
from govern.actions.saved_plan import guard_plan, read_plan, save_plan
from govern.actions.stamp import stamp_database
from govern.actions.validate import validate
from govern.actions.way_back import guard_way_back
from govern.api.command import Narrate, command, local_today, silent
from govern.api.project import (
    Project,
    describe_target,
    guard_chain,
    open_database,
    read_project,
)
from govern.config import Settings
from govern.core.changes import describe_change
from govern.core.guard import GUARDS
from govern.core.plan import Plan
from govern.core.report import Draft
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.scratch import dropping_meanwhile
from govern.database.target import create_target, declared_like
from govern.errors import ConfigurationError
from govern.revisions.graph.destination import Destination
from govern.revisions.nursery import importing_alembic_once
from govern.source.allowances import allowed_hazards
from govern.source.scope import read_scope


@command("plan")
@dropping_meanwhile()
@importing_alembic_once()
def plan(
    draft: Draft,
    settings: Settings,
    *,
    to: str = "heads",
    out: Path | None = None,
    narrate: Narrate = silent,
) -> None:
    """The pending revisions and what their statements do on a copy of the schema; ``out`` saves the plan."""
    project = read_project(settings)
    live = open_database(project, draft)
    guard_chain(project, draft, live)
    precautions = Precautions(allow=_allowed(project))
    made = _plan(draft, live, project, precautions, to=Destination(target=to), narrate=narrate)
    if out is not None:
        digest = save_plan(out, made, dialect=live.dialect.name)
        draft.passed("save", f"{out}, digest {digest[:12]}; apply it: govern migrate --plan {out}")


@command("migrate")
@dropping_meanwhile()
@importing_alembic_once()
def migrate(
    draft: Draft,
    settings: Settings,
    *,
    to: str = "heads",
    backup: BackupPolicy = "auto",
    rehearse: RehearsalChoice | None = None,
    allow: tuple[str, ...] = (),
    plan: Path | None = None,
    on_failure: OnFailure = "stop",
    dry_run: bool = False,
    tells_prunable: bool = True,
    narrate: Narrate = silent,
) -> None:
    """The guarded migration. Raises Refused before anything is touched, FailedMidway after.

    ``rehearse``: on a copy of the schema where nothing is said. ``allow`` names what may be lost. ``plan`` is a
    saved one, which is applied exactly or not at all. ``on_failure``: ``restore`` puts the run's backup in the place
    of a database that a failure left otherwise than it was. ``dry_run`` stops at the plan. ``tells_prunable``: says
    at the end which backups could go, of all targets.
    """
    saved = read_plan(plan) if plan else None
    project = read_project(settings)
    if settings.schema is not None and on_failure == "restore":
        raise ConfigurationError(
            f"--on-failure restore is for a whole database, and the target is its schema {settings.schema}",
            why="a restore puts another database in the place of the one there is, with all that is in it",
            next="leave it out: the backup of the schema is taken all the same, and pg_restore reads it",
        )
    precautions = Precautions(
        backup=backup,
        rehearse=rehearse,
        allow=(*allow, *_allowed(project)),
        plan=saved,
        on_failure=on_failure,
    )
    guard_chain(project, draft)
    probing = None
    if not dry_run:
        probing = prepare_proof(settings, project.manifest, "migrate")
        create_target(settings)
    live = open_database(project, draft)
    guard_chain(project, draft, live)
    if dry_run:
        if saved is not None:
            guard_plan(saved, live, project.chain)
        destination = Destination(target=saved.target if saved else to)
        _plan(draft, live, project, precautions, to=destination, narrate=narrate)
        return
    migrate_database(
        live,
        draft,
        project.chain,
        project.manifest,
        to=Destination(target=to),
        precautions=precautions,
        probing=probing,
        narrate=narrate,
    )
    if tells_prunable:
        tell_prunable(settings, draft, project.backup_policy)
    describe_target(live, project, draft)


@command("downgrade")
@dropping_meanwhile()
@importing_alembic_once()
def downgrade(
    draft: Draft,
    settings: Settings,
    to: str,
    *,
    backup: BackupPolicy = "auto",
    rehearse: RehearsalChoice | None = None,
    allow: tuple[str, ...] = (),
    dry_run: bool = False,
    narrate: Narrate = silent,
) -> None:
    """Takes revisions back until the database is at ``to``, guarded as ``migrate`` is; the options are its.

    ``to``: a revision, ``base``, ``-1``, or one of these on a branch: ``billing@-1``. What the manifest allows is
    allowed on the way up alone.
    """
    destination = Destination(target=to, direction="downgrade")
    precautions = Precautions(backup=backup, rehearse=rehearse, allow=allow)
    project = read_project(settings)
    guard_chain(project, draft)
    live = open_database(project, draft)
    guard_chain(project, draft, live)
    if dry_run:
        guard_way_back(destination.find_way(project.chain, live.read_stamped()), allow, draft, settings)
        _plan(draft, live, project, precautions, to=destination, narrate=narrate)
        return
    migrate_database(
        live,
        draft,
        project.chain,
        project.manifest,
        to=destination,
        precautions=precautions,
        probing=prepare_proof(settings, project.manifest, "downgrade"),
        narrate=narrate,
    )
    describe_target(live, project, draft)


@command("migrate")
def list_guards(draft: Draft, settings: Settings) -> None:
    """What stands between ``migrate`` and the database; asks neither the project nor the database."""
    del settings
    draft.data["guards"] = [guard.to_json() for guard in GUARDS]
    draft.passed("guards", f"{count_of(len(GUARDS), 'guard')}, in the order in which they are asked")


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
        manifest=project.manifest,
        scope=read_scope(settings, project.manifest),
        today=local_today(),
        narrate=narrate,
    )
    describe_target(live, project, draft)


@command("baseline")
@dropping_meanwhile()
@importing_alembic_once()
def baseline(
    draft: Draft,
    settings: Settings,
    *,
    at: str | None = None,
    dry_run: bool = False,
    narrate: Narrate = silent,
) -> None:
    """Finds the revision whose schema the database has, and stamps it; refuses where none has it, or several.

    ``at`` names one of several, which differ in rows alone. ``dry_run`` only says which.
    """
    project = read_project(settings)
    guard_chain(project, draft)
    live = open_database(project, draft)
    adopt_database(
        live,
        draft,
        project.chain,
        at=at,
        manifest=project.manifest,
        scope=read_scope(settings, project.manifest),
        today=local_today(),
        dry_run=dry_run,
        narrate=narrate,
    )
    describe_target(live, project, draft)


@command("revision")
@dropping_meanwhile()
@importing_alembic_once()
def revision(draft: Draft, settings: Settings, message: str, *, narrate: Narrate = silent) -> None:
    """Writes the revision that brings the newest one to what the models say, for a person to review."""
    project = read_project(settings)
    if project.chain.files:
        guard_chain(project, draft)
    written = write_revision(settings, project.chain, message, narrate=narrate)
    path = settings.relative(written.path)
    draft.data["path"] = path
    draft.data["remaining"] = [describe_change(change) for change in written.remaining]
    rest = f"; {count_of(written.completed, 'statement')} beyond autogenerate" if written.completed else ""
    left = (
        f"; {count_of(len(written.remaining), 'difference')} left to write by hand"
        if written.remaining
        else ""
    )
    draft.passed("revision", f"{path}{rest}{left}: review it, then run govern check")


@command("lock")
def lock(draft: Draft, settings: Settings, *, narrate: Narrate = silent) -> None:
    """Writes schema.lock and govern.sum."""
    project = read_project(settings)
    narrate("creating the models' schema in a scratch database")
    declared = lock_action.write_lock(
        settings, draft, like=declared_like(settings), chain=project.chain, manifest=project.manifest
    )
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


def _allowed(project: Project) -> tuple[str, ...]:
    """The hazards that the manifest allows today."""
    return tuple(map(str, sorted(allowed_hazards(project.manifest, local_today()))))


def _plan(
    draft: Draft,
    live: LiveDatabase,
    project: Project,
    precautions: Precautions,
    *,
    to: Destination,
    narrate: Narrate,
) -> Plan:
    """Every guard that only reads is asked, and what it says is told."""
    way = to.find_way(project.chain, live.read_stamped())
    rehearsal = None
    if way.revisions:
        asking = Asking(live=live, draft=draft, is_migrating=False, narrate=narrate)
        ask_for_lock(asking)
        ask_before(asking, with_backup=precautions.backup == "auto")
        begun = find_resumption(
            live, draft, way.steps, read_scope(live.settings, project.manifest), narrate=narrate
        )
        if begun is not None:
            draft.passed("resume", begun.described)
        rehearsal = rehearse_revisions(
            live,
            project.chain,
            project.manifest,
            to=to,
            how="schema",
            committed=begun.committed if begun else {},
            backup=None,
            narrate=narrate,
        )
        conclude(rehearsal, draft)
        ask_after(
            asking,
            rehearsal,
            way,
            project.manifest,
            allow=precautions.allow,
            plan=None,
            is_resumed=begun is not None,
        )
    else:  # an emptied database that says head is not where it should be
        validate(live, draft, project.manifest)
    made = make_plan(live, way, rehearsal)
    draft.data["plan"] = plan_json(made)
    what = "pending revision" if to.direction == "upgrade" else "revision to take back"
    draft.passed("plan", count_of(len(way.revisions), what) if way.revisions else "nothing is pending")
    return made
