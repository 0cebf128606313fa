"""Commands that change a database or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from govern.cli.root import backup, embedded, repair, root
from govern.cli.session import Session
from govern.core.report import Report


@root.changing("init")
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
def init(session: Session, *, alembic_config: Path | None, python: Path | None) -> Report:
    """Adopt an Alembic project: find its metadata and write a commented govern.toml.

    No file that exists is changed, env.py least of all. A project that is installed as a package is adopted
    from a folder beside it.

    \b
    Examples:
      govern init
      govern init --alembic-config .venv/lib/python3.12/site-packages/app/alembic.ini --python .venv/bin/python
    """
    from govern import api

    session.alembic_config, session.python = alembic_config, python
    return api.init(session.settings, narrate=session.narrate)


@root.changing("lock")
def lock(session: Session) -> Report:
    """Write schema.lock and govern.sum: the declared schema and the history, for review."""
    from govern import api

    return api.lock(session.settings, narrate=session.narrate)


@root.changing("migrate")
@click.option("--to", default="heads", show_default=True, metavar="REVISION", help="Where to stop.")
@click.option(
    "--backup",
    type=click.Choice(["auto", "off"]),
    default="auto",
    show_default=True,
    help="auto: take a backup and verify it before anything is changed.",
)
@click.option(
    "--rehearse",
    type=click.Choice(["schema", "data", "off"]),
    help="Run the revisions on a copy first: of the schema (the default, where one can be made), or on the backup.",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="HAZARD:SUBJECT",
    help="Let one named harm happen: drops-column:users.nick. May be given several times.",
)
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Apply exactly this plan of govern plan --out, or nothing.",
)
@click.option("--dry-run", is_flag=True, help="Every check and the plan; nothing is changed.")
def migrate(
    session: Session,
    *,
    to: str,
    backup: Literal["auto", "off"],
    rehearse: Literal["schema", "data", "off"] | None,
    allow: tuple[str, ...],
    plan: Path | None,
    dry_run: bool,
) -> Report:
    """The guarded migration: checks, lock, backup, rehearsal, apply, validate, ledger.

    \b
    Examples:
      govern migrate                      to the newest revision
      govern migrate --dry-run            what would be done
      govern migrate --rehearse data      try it on the restored backup first
      govern migrate --plan plan.json     what was planned and reviewed
      DATABASE_URL=postgresql://app@db/app govern migrate --format json
    """
    from govern import api

    return api.migrate(
        session.settings,
        to=to,
        backup=backup,
        rehearse=rehearse,
        allow=allow,
        plan=plan,
        dry_run=dry_run,
        narrate=session.narrate,
    )


@root.changing("stamp")
@click.argument("revision")
def stamp(session: Session, *, revision: str) -> Report:
    """Say that the database is at REVISION, without running anything of it."""
    from govern import api

    return api.stamp(session.settings, revision, narrate=session.narrate)


@root.changing("revision")
@click.option("-m", "--message", required=True, help="What the revision does, in a few words.")
def revision(session: Session, *, message: str) -> Report:
    """Write a revision file with what the models have and the revisions lack.

    \b
    Example:
      govern revision -m "add users.locale"
    """
    from govern import api

    return api.revision(session.settings, message, narrate=session.narrate)


@backup.changing("create")
def backup_create(session: Session) -> Report:
    """Take a backup and verify it by restoring it into a scratch database."""
    from govern import api

    return api.backup_create(session.settings, narrate=session.narrate)


@backup.changing("verify")
@click.argument("backup_id", metavar="BACKUP")
def backup_verify(session: Session, *, backup_id: str) -> Report:
    """Prove a backup again: its checksums, and a restore into a scratch database."""
    from govern import api

    return api.backup_verify(session.settings, backup_id, narrate=session.narrate)


@repair.changing("apply")
@click.option(
    "--allow",
    multiple=True,
    metavar="HAZARD:SUBJECT",
    help="Let one named harm happen: drops-column:users.nick. May be given several times.",
)
def repair_apply(session: Session, *, allow: tuple[str, ...]) -> Report:
    """Apply the proven statements, after a backup; what loses data only where it is allowed by name."""
    from govern import api

    return api.repair_apply(session.settings, allow=allow, narrate=session.narrate)


@embedded.changing("stop")
def embedded_stop(session: Session) -> Report:
    """Stop it. The next command that needs it starts it again, with its data."""
    from govern import api

    return api.embedded_stop(session.settings)
