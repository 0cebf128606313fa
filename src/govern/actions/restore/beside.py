"""A backup restored beside the live database, and found to be what was backed up: in earnest, or in a drill."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from govern.actions.backup import (
    RestoredCopy,
    amend_manifest,
    find_differences,
    is_unfit,
    restore_data,
    watching_growth,
)
from govern.core.backup import Backup
from govern.core.report import Draft, Entry
from govern.database.keeping import Replacement
from govern.database.live import LiveDatabase
from govern.errors import NotPermitted, Refused


def restore_beside(
    live: LiveDatabase, backup: Backup, replacement: Replacement, *, narrate: Callable[[str], None]
) -> LiveDatabase:
    """The restored database. Raises NotPermitted where it lacks what belongs to roles, FailedMidway."""
    with watching_growth(
        live.dialect,
        replacement.side,
        like=live.url,
        least_bytes=backup.manifest.table_bytes or 0,
        narrate=narrate,
        sentence="restoring the backup beside the live database",
    ):
        left_out = restore_data(live.settings, live.dialect, backup, replacement.side)
    if left_out:
        raise NotPermitted(
            f"the backup {backup.id} cannot be restored as it was",
            why=f"the server has not all roles that it names, or the role may not give objects to them: "
            f"{', '.join(left_out)} would be missing",
            next="restore as a superuser or as a member of these roles; needs.json in the backup names them",
        )
    return LiveDatabase(live.settings, replacement.side)


def compare_beside(
    side: LiveDatabase, draft: Draft, backup: Backup, *, narrate: Callable[[str], None]
) -> None:
    """Raises Refused, and says so in the backup's manifest, where it is not what was backed up."""
    copy = RestoredCopy(side.url, ())
    findings = find_differences(side.settings, side.dialect, backup, copy, narrate)
    draft.add(
        Entry.of("restore", findings, "restored beside the live database, and compared with the backup")
    )
    if is_unfit(findings):
        why = "; ".join(finding.message for finding in findings[:3])
        amend_manifest(backup, lambda manifest: manifest.found_unfit(datetime.now(UTC), why))
        raise Refused(
            f"the backup {backup.id} does not give back what was backed up",
            why=why,
            next="restore another one: govern backup list",
        )
