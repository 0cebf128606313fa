"""Commands that change a database or a file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

import click

from govern.cli.options import SPAN, number
from govern.cli.root import embedded, repair, root
from govern.cli.session import Session
from govern.cli.values import complete_repair, complete_revision
from govern.core.report import Report


@root.changing("init", what="files")
@click.option(
    "--alembic-config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The project's alembic.ini, where it is not in this folder.",
)
@click.option(
    "--python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The project's interpreter, where govern is installed elsewhere.",
)
@click.option(
    "--name",
    "section",
    metavar="SECTION",
    help="The section of alembic.ini, as for alembic. Default: alembic.",
)
def init(
    session: Session, *, alembic_config: Path | None, python: Path | None, section: str | None
) -> Report:
    """Adopt an Alembic project: find its metadata and write a commented govern.toml.

    No file that exists is changed, env.py least of all. A project that is installed as a package is adopted
    from a folder beside it. With --url the database that is there already is looked at, too.

    Each section of alembic.ini that is a history of its own gets a configuration of its own, govern.SECTION.toml, for
    --config.

    \b
    Examples:
      govern init
      govern init --name billing
      govern init --alembic-config service/alembic.ini --python .venv/bin/python
    """
    from govern import api

    session.alembic_config, session.python, session.section = alembic_config, python, section
    return api.init(session.settings, narrate=session.narrate)


@root.changing("lock", what="files")
def lock(session: Session) -> Report:
    """Write schema.lock and govern.sum: the declared schema and the history, for review.

    \b
    Example:
      govern lock     with every revision; commit what it writes
    """
    from govern import api

    return api.lock(session.settings, narrate=session.narrate)


backup_option = click.option(
    "--backup",
    type=click.Choice(["auto", "off"]),
    default="auto",
    show_default=True,
    help="auto: take a backup and verify it before anything is changed.",
)
rehearse_option = click.option(
    "--rehearse",
    type=click.Choice(["schema", "data", "off"]),
    help="Run the revisions on a copy first: of the schema (the default, where one can be made), or on the backup. "
    "off: nobody sees what they do.",
)
allow_option = click.option(
    "--allow",
    multiple=True,
    metavar="HAZARD:SUBJECT",
    help="Let one named harm happen: drops-column:users.nick. May be given several times.",
)
on_failure_option = click.option(
    "--on-failure",
    type=click.Choice(["stop", "restore"]),
    default="stop",
    show_default=True,
    help="restore: where a failure leaves the database otherwise than it was, put the backup in its place.",
)
to_option = click.option(
    "--to",
    default="heads",
    show_default=True,
    metavar="REVISION",
    shell_complete=complete_revision,
    help="Where to stop.",
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Every guard that only reads, and the plan; nothing is changed."
)


@root.changing("migrate")
@to_option
@backup_option
@rehearse_option
@allow_option
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Apply exactly this plan of govern plan --out, or nothing.",
)
@on_failure_option
@dry_run_option
@click.option(
    "--list-guards",
    is_flag=True,
    help="Only list what can say no, and what would let it pass; asks no database.",
)
def migrate(
    session: Session,
    *,
    to: str,
    backup: Literal["auto", "off"],
    rehearse: Literal["schema", "data", "off"] | None,
    allow: tuple[str, ...],
    plan: Path | None,
    on_failure: Literal["stop", "restore"],
    dry_run: bool,
    list_guards: bool,
) -> Report:
    """The guarded migration: checks, lock, backup, rehearsal, apply, validate, ledger.

    With --rehearse off nobody sees what the revisions do. What they lose is then known from a saved plan, or
    from their text alone, which does not tell all: the entry "hazards" says so.

    \b
    Examples:
      govern migrate                    to the newest revision
      govern migrate --dry-run          what would be done, and what guards say
      govern migrate --list-guards      what the guards are
      govern migrate --rehearse data    try it on the restored backup first
      govern migrate --plan plan.json   what was planned and reviewed
      DATABASE_URL=postgresql://app@db/app govern migrate --format json
    """
    from govern import api

    session.changes = "nothing" if dry_run or list_guards else session.changes
    if list_guards:
        return api.list_guards(session.settings)
    return api.migrate(
        session.settings,
        to=to,
        backup=backup,
        rehearse=rehearse,
        allow=allow,
        plan=plan,
        on_failure=on_failure,
        dry_run=dry_run,
        narrate=session.narrate,
    )


@root.changing("downgrade", context_settings={"ignore_unknown_options": True})
@click.argument("revision", shell_complete=complete_revision)
@backup_option
@rehearse_option
@allow_option
@dry_run_option
def downgrade(
    session: Session,
    *,
    revision: str,
    backup: Literal["auto", "off"],
    rehearse: Literal["schema", "data", "off"] | None,
    allow: tuple[str, ...],
    dry_run: bool,
) -> Report:
    """Take revisions back until the database is at REVISION; guarded as migrate is.

    \b
    Examples:
      govern downgrade -1                 the last one
      govern downgrade 3f2a --dry-run     what would be done, and lost
      govern downgrade base               all of them
      govern downgrade billing@-1         the last one of a branch

    A column that a revision added goes with its values: each such loss is allowed by name. Over a revision without a
    downgrade there is no way back but a backup's restore.
    """
    from govern import api

    session.changes = "nothing" if dry_run else session.changes
    if revision.startswith("-") and not revision[1:].isdecimal():
        raise click.NoSuchOption(revision)  # they are let through for the sake of -1
    return api.downgrade(
        session.settings,
        revision,
        backup=backup,
        rehearse=rehearse,
        allow=allow,
        dry_run=dry_run,
        narrate=session.narrate,
    )


@root.changing("baseline")
@click.option(
    "--at",
    metavar="REVISION",
    shell_complete=complete_revision,
    help="Which one, where several revisions have the database's schema.",
)
@click.option("--dry-run", is_flag=True, help="Only say which revision's schema it is.")
def baseline(session: Session, *, at: str | None, dry_run: bool) -> Report:
    """Adopt a database without a version row, or with a wrong one: find the revision whose schema it has, and stamp it.

    All revisions are applied to a scratch database, and the schema after each is held against the live one. Where none
    is equal, the report has the differences from the nearest, and nothing is changed. Revisions that change rows alone
    have one schema: then --at says up to which of them the database has their rows.

    \b
    Examples:
      govern baseline --dry-run     only look
      govern baseline               stamp what was found
    """
    from govern import api

    session.changes = "nothing" if dry_run else session.changes
    return api.baseline(session.settings, at=at, dry_run=dry_run, narrate=session.narrate)


@root.changing("stamp")
@click.argument("revision", shell_complete=complete_revision)
def stamp(session: Session, *, revision: str) -> Report:
    """Say that the database is at REVISION, without running anything of it; refused where its schema is another.

    Applications start from then on: at the newest revision the manifest has to hold, too. Which revision it is finds
    govern baseline.

    \b
    Example:
      govern stamp heads     after the schema was brought there by hand
    """
    from govern import api

    return api.stamp(session.settings, revision, narrate=session.narrate)


@root.changing("revision", what="files")
@click.option("-m", "--message", required=True, help="What the revision does, in a few words.")
def revision(session: Session, *, message: str) -> Report:
    """Write a revision file with what the models have and the revisions lack.

    \b
    Example:
      govern revision -m "add users.locale"
    """
    from govern import api

    return api.revision(session.settings, message, narrate=session.narrate)


@repair.changing("apply")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_repair)
@click.option("--all", "every", is_flag=True, help="Every repair that the manifest declares.")
@click.option(
    "--batch",
    type=number(1),
    metavar="ROWS",
    help="So many rows a transaction, each with what goes with it; else all of a repair are one.",
)
@backup_option
@allow_option
def repair_apply(
    session: Session,
    *,
    names: tuple[str, ...],
    every: bool,
    batch: int | None,
    backup: Literal["auto", "off"],
    allow: tuple[str, ...],
) -> Report:
    """Apply repairs, after a backup; what does harm only where it is allowed by name.

    Without NAME, or as "schema", the repair of what drifted: its statements, proven on a copy. The others are declared
    in the manifest: the rows and definitions that they change are copied into the database's own backup first, and
    come back with govern repair rollback. Other rows than planned are refused, and nothing is changed.

    \b
    Examples:
      govern repair apply                          what drifted
      govern repair apply orphaned-notes           one of the manifest
      govern repair apply old-sessions --batch 5000
      govern repair apply --all
    """
    from govern import api

    return api.repair_apply(
        session.settings,
        names=names,
        every=every,
        allow=allow,
        batch=batch,
        backup=backup,
        narrate=session.narrate,
    )


@repair.changing("rollback")
@click.argument("run")
@backup_option
@allow_option
def repair_rollback(
    session: Session, *, run: str, backup: Literal["auto", "off"], allow: tuple[str, ...]
) -> Report:
    """Give back, bit for bit, the rows or the definitions that the repair RUN, or the latest, changed; also days later.

    Where something newer is in the way it is listed, and nothing is changed. What would be lost is allowed by name.

    \b
    Examples:
      govern repair rollback latest
      govern repair rollback 20261121T175911Z-3fa2c1
    """
    from govern import api

    return api.repair_rollback(session.settings, run, allow=allow, backup=backup, narrate=session.narrate)


@repair.changing("prune")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--older-than", type=SPAN, metavar="SPAN", help="What is older than 90d, 26h or 2w goes.")
@click.option("--plan", "is_plan", is_flag=True, help="Only say what would go.")
def repair_prune(
    session: Session, *, runs: tuple[str, ...], older_than: timedelta | None, is_plan: bool
) -> Report:
    """Remove what repairs keep for their way back: rows that were deleted for good must not live on for ever.

    The copies of every run that is named, and of those that are older than a span; a repair that broke off keeps its
    own until it is named. They are in the backups that were taken meanwhile, too: govern backup prune.

    \b
    Examples:
      govern repair prune --older-than 90d --plan
      govern repair prune --older-than 90d
      govern repair prune 20261121T175911Z-3fa2c1
    """
    from govern import api

    session.changes = "nothing" if is_plan else session.changes
    return api.repair_prune(
        session.settings, older_than=older_than, runs=runs, is_plan=is_plan, narrate=session.narrate
    )


@embedded.changing("stop", what="elsewhere")
def embedded_stop(session: Session) -> Report:
    """Stop it. The next command that needs it starts it again, with its data.

    \b
    Example:
      govern embedded stop
    """
    from govern import api

    return api.embedded_stop(session.settings)
