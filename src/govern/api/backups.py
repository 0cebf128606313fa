"""Commands about backups."""

from __future__ import annotations

import contextlib

from govern.actions.backup import (
    BackupDamaged,
    Level,
    bring_here,
    copy_offsite,
    create_verified_backup,
    find_backup,
    find_damaged,
    list_backups,
    list_offsite,
    verify_backup,
)
from govern.actions.restore import find_fitting, plan_restore, restore_database
from govern.api.command import Narrate, command, silent
from govern.api.project import describe_target, guard_chain, open_database, read_project
from govern.config import Settings
from govern.core.backup import Backup
from govern.core.report import Draft, Entry
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target
from govern.errors import ConfigurationError, Unreachable


@command("backup create")
def backup_create(draft: Draft, settings: Settings, *, narrate: Narrate = silent) -> None:
    """Backs up the target while no migration runs, and proves the backup by restoring it."""
    live = open_database(read_project(settings), draft)
    with live.dialect.hold_migration_lock(live.url, wait_seconds=settings.lock_wait_seconds):
        backup = create_verified_backup(live, draft, reason="manual", narrate=narrate)
    draft.data["backups"] = [find_backup(settings, backup.id).to_json()]


@command("backup list")
def backup_list(draft: Draft, settings: Settings) -> None:
    """Every backup, newest first, and what lies among them and cannot be read."""
    backups = list_backups(settings)
    draft.data["backups"] = [backup.to_json() for backup in backups]
    where = settings.relative(settings.backups)
    draft.add(Entry.of("backups", find_damaged(settings), f"{count_of(len(backups), 'backup')} in {where}"))
    here = {backup.id for backup in backups}
    for manifest in list_offsite(settings):
        if manifest.id not in here:
            draft.passed(manifest.id, f"{settings.offsite}, not here: govern restore fetches it")


@command("backup copy")
def backup_copy(
    draft: Draft,
    settings: Settings,
    backup_id: str = "latest",
    *,
    every: bool = False,
    narrate: Narrate = silent,
) -> None:
    """Copies a backup, or ``every`` one, to the object store of the settings. What is there is left as it is."""
    if settings.offsite is None:
        raise ConfigurationError(
            "the settings have no place for copies of backups",
            next='set offsite, for example to "s3://bucket/folder"',
        )
    backups = list_backups(settings) if every else (find_backup(settings, backup_id),)
    for backup in backups:
        copy_offsite(settings, backup, narrate=narrate)
        draft.passed("copy", f"{settings.offsite}/{backup.id}")


@command("backup show")
def backup_show(draft: Draft, settings: Settings, backup_id: str) -> None:
    """One backup, with the rows of each table."""
    backup = _find_readable(draft, settings, backup_id)
    if backup is None:
        return
    draft.data["backups"] = [backup.to_json()]
    draft.data["rows"] = dict(backup.manifest.rows)
    draft.passed("backup", settings.relative(backup.path))


@command("backup verify")
def backup_verify(
    draft: Draft,
    settings: Settings,
    backup_id: str,
    *,
    level: Level = "content",
    narrate: Narrate = silent,
) -> None:
    """Proves a backup again. What is wrong with it is a finding."""
    bring_here(settings, backup_id, narrate=narrate)
    backup = _find_readable(draft, settings, backup_id)
    if backup is None:
        return
    live = open_database(read_project(settings), draft)
    verification, findings = verify_backup(
        settings, live.dialect, backup, like=live.url, level=level, narrate=narrate
    )
    reason = verification.described() if verification else "not good for a restore"
    draft.add(Entry.of("verify", findings, reason))
    draft.data["backups"] = [find_backup(settings, backup.id).to_json()] if verification else []


@command("restore")
def restore(
    draft: Draft,
    settings: Settings,
    backup_id: str = "latest",
    *,
    plan: bool = False,
    allow: tuple[str, ...] = (),
    narrate: Narrate = silent,
) -> None:
    """Puts a backup in the place of the target, which is kept under another name, or made if there is none.

    ``plan`` only says what that would change. ``allow`` names the tables whose newer rows may go out of use. Raises
    Refused, ConfigurationError or CouldNotCheck where nothing was changed, FailedMidway otherwise.
    """
    project = read_project(settings)
    guard_chain(project, draft)
    live = LiveDatabase(settings, resolve_target(settings))
    bring_here(settings, backup_id, narrate=narrate)
    backup = find_fitting(settings, draft, live.dialect, project.chain, backup_id)
    with contextlib.suppress(Unreachable):  # then there is nothing to describe, and all the more to restore
        describe_target(live, project, draft)
    if plan:
        plan_restore(live, draft, project.chain, backup, narrate=narrate)
        return
    restore_database(live, draft, project.chain, project.manifest, backup, allow=allow, narrate=narrate)
    describe_target(live, project, draft)


def _find_readable(draft: Draft, settings: Settings, backup_id: str) -> Backup | None:
    """A damaged manifest is a finding: what was asked for is there, and no good."""
    try:
        return find_backup(settings, backup_id)
    except BackupDamaged as damaged:
        draft.add(Entry.of("backup", (damaged.finding,)))
        return None
