"""Commands about backups, and what is restored from them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from govern.cli.root import backup, root
from govern.cli.session import Session
from govern.cli.values import complete_backup, complete_table
from govern.core.report import Report


@backup.inspecting("list")
@click.option(
    "--search",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Instead of these, look below DIR for what else could be restored from.",
)
def backup_list(session: Session, *, folder: Path | None) -> Report:
    """Every backup, newest first.

    With --search: dumps of pg_dump in any format, SQLite files, folders of JSON, JSON lines or CSV files that are named
    after tables, and backups that lie elsewhere; what they hold, how old they are, and what to type next.

    \b
    Examples:
      govern backup list
      govern backup list --search /srv/old     what else could be restored from
    """
    from govern import api

    if folder is not None:
        return api.backup_search(session.settings, folder, narrate=session.narrate)
    return api.backup_list(session.settings)


@backup.inspecting("show")
@click.argument("backup_id", metavar="BACKUP", shell_complete=complete_backup)
def backup_show(session: Session, *, backup_id: str) -> Report:
    """What one backup holds.

    \b
    Example:
      govern backup show latest
    """
    from govern import api

    return api.backup_show(session.settings, backup_id)


@backup.changing("create", what="backups")
def backup_create(session: Session) -> Report:
    """Take a backup and verify it by restoring it into a scratch database.

    \b
    Example:
      govern backup create     before something by hand
    """
    from govern import api

    return api.backup_create(session.settings, narrate=session.narrate)


@backup.changing("copy", what="backups")
@click.argument(
    "backup_id", metavar="[BACKUP]", required=False, default="latest", shell_complete=complete_backup
)
@click.option("--all", "every", is_flag=True, help="Every backup that has no copy yet.")
def backup_copy(session: Session, *, backup_id: str, every: bool) -> Report:
    """Copy a backup to the object store of the settings.

    New backups are copied as they are made: this is for older ones, and for when the store did not answer.

    \b
    Example:
      govern backup copy --all     what was made before there was a store
    """
    from govern import api

    return api.backup_copy(session.settings, backup_id, every=every, narrate=session.narrate)


@backup.changing("adopt", what="backups")
@click.argument("path", type=click.Path(path_type=Path))
def backup_adopt(session: Session, *, path: Path) -> Report:
    """Make a backup of what somebody else made: a dump of pg_dump, a SQLite file, a backup that lies elsewhere.

    It is restored into a scratch database, backed up from there and verified; then it is listed, and restored, like any
    other. Owners and privileges are left out. The server executes what a dump says: adopt none that you do not trust.

    \b
    Example:
      govern backup adopt /mnt/old/app.dump
    """
    from govern import api

    return api.backup_adopt(session.settings, path, narrate=session.narrate)


@backup.changing("verify", what="backups")
@click.argument("backup_id", metavar="[BACKUP]", required=False, shell_complete=complete_backup)
@click.option(
    "--level",
    type=click.Choice(["files", "restore", "content"]),
    default="content",
    show_default=True,
    help="files: their checksums alone. restore: also a restore into a scratch database, compared in revision, schema "
    "and row counts. content: also in the rows themselves.",
)
@click.option("--all", "everything", is_flag=True, help="Every backup of the target, newest first.")
@click.option(
    "--schedule",
    "only_due",
    is_flag=True,
    help="Only those that are due: never verified, or longer ago than backups.schedule.verify_every says.",
)
@click.option(
    "--budget",
    "budget_minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="With --all or --schedule: begin no other that would not be done by then.",
)
def backup_verify(
    session: Session,
    *,
    backup_id: str | None,
    level: Literal["files", "restore", "content"],
    everything: bool,
    only_due: bool,
    budget_minutes: float | None,
) -> Report:
    """Prove a backup again: its checksums, and a restore into a scratch database.

    \b
    Examples:
      govern backup verify latest
      govern backup verify --schedule --budget 30     every night, by cron
    """
    from govern import api

    several = everything or only_due
    if several == (backup_id is not None):
        raise click.UsageError("name one BACKUP, or give --all or --schedule")
    if backup_id is not None:
        if budget_minutes is not None:
            raise click.UsageError("--budget goes with --all or --schedule")
        return api.backup_verify(session.settings, backup_id, level=level, narrate=session.narrate)
    return api.backup_verify_many(
        session.settings,
        level=level,
        only_due=only_due,
        budget_minutes=budget_minutes,
        narrate=session.narrate,
    )


@backup.changing("drill", what="backups")
@click.argument(
    "backup_id", metavar="[BACKUP]", required=False, default="latest", shell_complete=complete_backup
)
def backup_drill(session: Session, *, backup_id: str) -> Report:
    """Try out how long a restore takes: all of it, up to the exchange, which is not made.

    The backup is restored beside the live database, compared and validated, and dropped again. No migration runs
    meanwhile.

    \b
    Example:
      govern backup drill latest     how long an incident would take
    """
    from govern import api

    return api.backup_drill(session.settings, backup_id, narrate=session.narrate)


@backup.changing("prune", what="backups")
@click.option("--yes", is_flag=True, help="Remove them. Without it they are only shown.")
@click.option(
    "--kept-databases",
    is_flag=True,
    help="With --yes: also drop the databases that restores took out of use and kept.",
)
def backup_prune(session: Session, *, yes: bool, kept_databases: bool) -> Report:
    """Which backups are kept and why, and which are not; with --yes the latter are removed.

    The policy is in the manifest, under backups; without one the 7 newest of each database stay, all of the last 30
    days, and what the ledger's runs of these days name. The newest verified one of each database always stays.

    \b
    Examples:
      govern backup prune                 what would go, and why the others stay
      govern backup prune --yes           for cron
    """
    from govern import api

    session.changes = "elsewhere" if kept_databases else "backups" if yes else "nothing"
    if kept_databases and not yes:
        raise click.UsageError("--kept-databases drops databases: it wants --yes")
    return api.backup_prune(session.settings, yes=yes, kept_databases=kept_databases)


@backup.changing("sign", what="backups")
@click.argument("backup_id", metavar="[BACKUP]", required=False, shell_complete=complete_backup)
@click.option("--all", "everything", is_flag=True, help="Every backup that has no right signature yet.")
def backup_sign(session: Session, *, backup_id: str | None, everything: bool) -> Report:
    """Vouch for a backup of an earlier release, or one that is signed with another key.

    New backups are signed as they are made. Nothing is restored from one whose signature is not right: sign what you
    know to be yours. A backup that was changed after it was signed is not signed again.

    \b
    Example:
      govern backup sign --all     after a new key
    """
    from govern import api

    if everything == (backup_id is not None):
        raise click.UsageError("name one BACKUP, or give --all")
    return api.backup_sign(session.settings, backup_id)


@backup.changing("pin", what="backups")
@click.argument("backup_id", metavar="BACKUP", shell_complete=complete_backup)
@click.option("--because", required=True, metavar="TEXT", help="Why it is kept, for whoever wonders later.")
def backup_pin(session: Session, *, backup_id: str, because: str) -> Report:
    """Keep a backup from ever being pruned.

    \b
    Example:
      govern backup pin latest --because "before the move to the new servers"
    """
    from govern import api

    return api.backup_pin(session.settings, backup_id, because=because)


@backup.changing("unpin", what="backups")
@click.argument("backup_id", metavar="BACKUP", shell_complete=complete_backup)
def backup_unpin(session: Session, *, backup_id: str) -> Report:
    """Let the policy decide about a pinned backup again.

    \b
    Example:
      govern backup unpin latest
    """
    from govern import api

    return api.backup_unpin(session.settings, backup_id)


@root.changing("restore")
@click.argument(
    "backup_id", metavar="[BACKUP]", required=False, default="latest", shell_complete=complete_backup
)
@click.option("--plan", is_flag=True, help="Only say what would change.")
@click.option(
    "--merge",
    is_flag=True,
    help="Take over only the rows that the database lacks, with those that they refer to; overwrite nothing.",
)
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="TABLE",
    shell_complete=complete_table,
    help="This table alone, which becomes what it is in the backup. May be given several times.",
)
@click.option(
    "--upgrade",
    is_flag=True,
    help="Bring a backup of an older revision to the newest before it takes the place. Rows always come at the "
    "database's own revision.",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="HAZARD:SUBJECT",
    help="Allow a named harm. overwrites-rows:orders lets the newer rows of a table go out of use; "
    "unsigned-backup:BACKUP, unknown-key:BACKUP or wrong-signature:BACKUP restores what nobody vouches for. May be "
    "given several times.",
)
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Instead of a backup, a folder of JSON, JSON lines or CSV files, one a table: what is missing is inserted, "
    "nothing overwritten.",
)
def restore(
    session: Session,
    *,
    backup_id: str,
    plan: bool,
    merge: bool,
    tables: tuple[str, ...],
    upgrade: bool,
    allow: tuple[str, ...],
    folder: Path | None,
) -> Report:
    """Put a backup in the place of the database, which is kept under another name; or take rows of it over.

    BACKUP is an id of govern backup list, or latest: the newest that is not itself a restore's own. A table whose rows
    changed since the backup is not overwritten unless it is allowed by name. With --merge or --table the database stays
    in use, and what is missing in it comes in one transaction.

    \b
    Examples:
      govern restore --plan               what would change
      govern restore                      the newest backup
      govern restore --merge              what is missing, and nothing else
      govern restore --table notes        one table, as it was
      govern restore 20261121T120000Z-migrate-3f9a1c --allow overwrites-rows:orders
      govern restore --from exports/      what is missing, out of users.json, …
    """
    from govern import api

    session.changes = "nothing" if plan else session.changes
    if folder is not None:
        if backup_id != "latest" or upgrade:
            raise click.UsageError("--from is no backup: BACKUP and --upgrade go without it")
        return api.restore_files(
            session.settings, folder, tables=tables, plan=plan, allow=allow, narrate=session.narrate
        )
    return api.restore(
        session.settings,
        backup_id,
        plan=plan,
        merge=merge,
        tables=tables,
        upgrade=upgrade,
        allow=allow,
        narrate=session.narrate,
    )
