"""Commands about backups."""

from __future__ import annotations

import contextlib

from govern.actions.backup import (
    BackupDamaged,
    create_verified_backup,
    find_backup,
    find_damaged,
    list_backups,
    verify_backup,
)
from govern.actions.restore import (
    Wanted,
    find_fitting,
    plan_restore,
    plan_rows,
    restore_database,
    restore_rows,
)
from govern.api.command import Narrate, command, silent
from govern.api.project import describe_target, guard_chain, open_database, read_project
from govern.config import Settings
from govern.core.backup import Backup
from govern.core.report import Draft, Entry
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target
from govern.errors import Unreachable


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
def backup_verify(draft: Draft, settings: Settings, backup_id: str, *, narrate: Narrate = silent) -> None:
    """Proves a backup again. What is wrong with it is a finding."""
    backup = _find_readable(draft, settings, backup_id)
    if backup is None:
        return
    live = open_database(read_project(settings), draft)
    verification, findings = verify_backup(settings, live.dialect, backup, like=live.url, narrate=narrate)
    reason = (
        f"restored and compared, {verification.duration_ms} ms" if verification else "not good for a restore"
    )
    draft.add(Entry.of("verify", findings, reason))
    draft.data["backups"] = [find_backup(settings, backup.id).to_json()] if verification else []


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
    backup = find_fitting(settings, draft, live.dialect, project.chain, backup_id, is_whole=is_whole)
    with contextlib.suppress(Unreachable):  # then there is nothing to describe, and all the more to restore
        describe_target(live, project, draft)
    if not is_whole:
        wanted = Wanted(tables=tables, merges=merge, allow=allow)
        if plan:
            plan_rows(live, draft, project.chain, backup, wanted, narrate=narrate)
            return
        restore_rows(live, draft, project.chain, project.manifest, backup, wanted, narrate=narrate)
        describe_target(live, project, draft)
        return
    if plan:
        plan_restore(live, draft, project.chain, backup, upgrade=upgrade, narrate=narrate)
        return
    restore_database(
        live, draft, project.chain, project.manifest, backup, allow=allow, upgrade=upgrade, narrate=narrate
    )
    describe_target(live, project, draft)


def _find_readable(draft: Draft, settings: Settings, backup_id: str) -> Backup | None:
    """A damaged manifest is a finding: what was asked for is there, and no good."""
    try:
        return find_backup(settings, backup_id)
    except BackupDamaged as damaged:
        draft.add(Entry.of("backup", (damaged.finding,)))
        return None
