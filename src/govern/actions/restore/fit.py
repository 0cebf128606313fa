"""Whether a backup can be restored at all: signed, whole, of this engine, of a revision that the code knows."""

from __future__ import annotations

from govern.actions.backup import check_files, find_backup, is_unfit, require_engine, require_signature
from govern.config import Settings
from govern.core.backup import Backup
from govern.core.report import Draft, Entry
from govern.core.wording import count_of, name_revisions
from govern.database.dialect import Dialect
from govern.errors import Refused
from govern.revisions.graph import Chain

SAFETY = "before-restore"
"""The reason of the backup that a restore takes first."""


def find_fitting(
    settings: Settings,
    draft: Draft,
    dialect: Dialect,
    chain: Chain,
    wanted: str,
    *,
    is_whole: bool = True,
    allow: tuple[str, ...] = (),
) -> Backup:
    """The backup of that id; for ``latest`` the newest that no restore took of what it was about to replace.

    ``is_whole``: the database is to be at the backup's revision, which the code must know.

    Raises ConfigurationError or BackupDamaged where it cannot be had, Refused where it is not good for a restore.
    """
    backup = find_backup(settings, wanted, but_for=SAFETY)
    require_engine(backup.manifest, dialect)
    backup = require_signature(backup, allow=allow)
    findings = tuple(check_files(settings, backup))
    draft.add(Entry.of("backup", findings, _describe(settings, backup)))
    draft.data["backup"] = backup.id
    if is_unfit(findings):
        raise Refused(
            f"the backup {backup.id} is not as it was written",
            why="; ".join(finding.message for finding in findings[:3]),
            next="restore another one: govern backup list",
        )
    if is_whole:
        _require_known_revision(backup, chain)
    return backup


def _describe(settings: Settings, backup: Backup) -> str:
    """Which one it is: it may have been made of another database."""
    manifest = backup.manifest
    made = f"of {manifest.database} at {manifest.created_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{settings.relative(backup.path)}, {made}, {count_of(len(manifest.files), 'file')}"


def _require_known_revision(backup: Backup, chain: Chain) -> None:
    unknown = [revision for revision in backup.manifest.revision or () if revision not in chain.revisions]
    if unknown:
        raise Refused(
            f"the backup {backup.id} is at revision {name_revisions(unknown)}, which this code does not know",
            why="it is of a newer version of the code, or of another project",
            next="check out the code that has the revision, or restore an older backup: govern backup list",
        )
