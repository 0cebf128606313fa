"""Commands about backups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from govern.actions.backup import (
    BackupDamaged,
    Level,
    amend_manifest,
    bring_here,
    copy_offsite,
    create_verified_backup,
    find_backup,
    find_damaged,
    list_backups,
    list_offsite,
    reading,
    verify_backup,
)
from govern.actions.backup.countersign import countersign
from govern.actions.backup.listing import describe_backups
from govern.actions.prune import prune_backups, prune_kept_databases, read_ledger
from govern.api.command import Narrate, command, silent
from govern.api.project import Project, open_database, read_project
from govern.config import Settings
from govern.core.backup import Backup, BackupManifest
from govern.core.finding import Finding
from govern.core.report import Draft, Entry
from govern.core.wording import count_of, name_duration
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target
from govern.errors import ConfigurationError
from govern.revisions.graph import read_project_chain

if TYPE_CHECKING:
    from govern.source.manifest import Backups


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
    draft.data["backups"] = _describe(settings, backups)
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
    """One backup: whether it fits the code, what is known of it, the rows of each table, its files."""
    backup = _find_readable(draft, settings, backup_id)
    if backup is None:
        return
    manifest = backup.manifest
    draft.data["backups"] = _describe(settings, (backup,))
    draft.data["rows"] = dict(manifest.rows)
    draft.data["files"] = [
        {"path": file.path, "bytes": file.bytes, "sha256": file.sha256} for file in manifest.files
    ]
    draft.passed(
        "backup", f"{settings.relative(backup.path)}, of {manifest.database}, made by {manifest.tool}"
    )
    draft.add(_describe_proof(manifest))
    if manifest.drilled:
        draft.passed("drill", f"on {manifest.drilled.at:%Y-%m-%d}, {manifest.drilled.described()}")


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
    with reading(backup):
        verification, findings = verify_backup(
            settings, live.dialect, backup, like=live.url, level=level, narrate=narrate
        )
    reason = verification.described() if verification else "not good for a restore"
    draft.add(Entry.of("verify", findings, reason))
    draft.data["backups"] = [find_backup(settings, backup.id).to_json()] if verification else []


@command("backup sign")
def backup_sign(draft: Draft, settings: Settings, backup_id: str | None = None) -> None:
    """Vouches for a backup of an earlier release, or one that is signed with another key; None: for every backup.

    What is wrong with one is a finding, and it is left as it is.
    """
    backups = list_backups(settings) if backup_id is None else (find_backup(settings, backup_id),)
    for backup in backups:
        draft.add(countersign(settings, backup))
    if not backups:
        draft.passed("sign", "there is no backup")


@command("backup prune")
def backup_prune(
    draft: Draft, settings: Settings, *, yes: bool = False, kept_databases: bool = False
) -> None:
    """Which backups the manifest's policy keeps and which it does not; removes the latter only with ``yes``.

    ``kept_databases``: also drops the databases that restores took out of use, if they are old enough.
    """
    policy = read_backups(read_project(settings)).policy
    live = LiveDatabase(settings, resolve_target(settings))
    ledger = read_ledger(live)
    prune_backups(settings, draft, policy, ledger, yes=yes)
    prune_kept_databases(live, draft, policy, ledger, yes=yes and kept_databases)


@command("backup pin")
def backup_pin(draft: Draft, settings: Settings, backup_id: str, *, because: str) -> None:
    """Keeps a backup from ever being pruned. Raises ConfigurationError if there is none of that id."""
    pinned = amend_manifest(
        find_backup(settings, backup_id), lambda manifest: replace(manifest, pinned=because)
    )
    draft.passed("pin", f"{pinned.id} stays until it is unpinned: {because}")
    draft.data["backups"] = [pinned.to_json()]


@command("backup unpin")
def backup_unpin(draft: Draft, settings: Settings, backup_id: str) -> None:
    """Takes the pin away: the policy decides again."""
    backup = find_backup(settings, backup_id)
    unpinned = amend_manifest(backup, lambda manifest: replace(manifest, pinned=None))
    draft.passed(
        "unpin", f"{backup.id}: {'the policy decides again' if backup.manifest.pinned else 'it was not'}"
    )
    draft.data["backups"] = [unpinned.to_json()]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedBackup:
    """A backup, and whether it fits the code."""

    backup: Backup
    fit: str
    """``fits``, ``older``, ``newer``, ``foreign``, ``unstamped``."""
    fits: str
    """The same in words: ``older by 2 revisions``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedBackups:
    """The newest of the backups that lie here."""

    newest: tuple[ListedBackup, ...]
    count: int
    """Of all of them."""
    damaged: tuple[Finding, ...]
    """What lies among them and cannot be read."""


def list_newest(settings: Settings, *, most: int) -> ListedBackups:
    """So many of the backups, newest first; asks neither the database nor the store of copies.

    Raises NotPermitted where the folder cannot be read, ConfigurationError where the revisions cannot.
    """
    backups = list_backups(settings)
    described = _describe(settings, backups[:most], among=backups)
    return ListedBackups(
        newest=tuple(
            ListedBackup(backup=backup, fit=row["fit"], fits=row["fits"])
            for backup, row in zip(backups, described, strict=False)
        ),
        count=len(backups),
        damaged=find_damaged(settings),
    )


def read_backups(project: Project) -> Backups:
    """What the manifest says of backups."""
    from govern.source.manifest import Backups  # with pydantic, which is slow to import

    return project.manifest.backups if project.manifest else Backups()


def _describe(
    settings: Settings, shown: tuple[Backup, ...], *, among: tuple[Backup, ...] | None = None
) -> list[dict[str, Any]]:
    chain = read_project_chain(settings)
    every = list_backups(settings) if among is None else among
    return describe_backups(shown, every, chain, now=datetime.now(UTC))


def _describe_proof(manifest: BackupManifest) -> Entry:
    if manifest.unfit is not None:
        why = f"found unfit on {manifest.unfit.at:%Y-%m-%d %H:%M} UTC: {manifest.unfit.why}"
        return Entry(name="verified", status="skipped", reason=why, is_optional=True)
    if manifest.verified is None:
        return Entry(name="verified", status="skipped", reason="never", is_optional=True)
    proof = manifest.verified
    when = f"{proof.level}, on {proof.at:%Y-%m-%d %H:%M} UTC, in {name_duration(proof.duration_ms / 1000)}"
    left_out = f"; not compared: {', '.join(proof.left_out)}" if proof.left_out else ""
    return Entry(name="verified", status="passed", reason=when + left_out)


def _find_readable(draft: Draft, settings: Settings, backup_id: str) -> Backup | None:
    """A damaged manifest is a finding: what was asked for is there, and no good."""
    try:
        return find_backup(settings, backup_id)
    except BackupDamaged as damaged:
        draft.add(Entry.of("backup", (damaged.finding,)))
        return None
