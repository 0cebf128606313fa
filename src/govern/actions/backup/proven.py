"""A backup that is good for a restore, because it was restored: what every changing command begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from govern.actions.backup.create import create_backup
from govern.actions.backup.locks import reading
from govern.actions.backup.offsite import copy_if_asked
from govern.actions.backup.signing import find_unkept_key
from govern.actions.backup.verify import OnRestored, verify_backup
from govern.core.report import Draft, Entry
from govern.errors import Refused

if TYPE_CHECKING:
    from govern.core.backup import Backup
    from govern.database.live import LiveDatabase


def create_verified_backup(
    live: LiveDatabase,
    draft: Draft,
    *,
    reason: str,
    narrate: Callable[[str], None],
    on_restored: OnRestored | None = None,
    entry: str = "backup",
) -> Backup:
    """Backs up, restores the backup into a scratch database and compares; two entries of the report.

    ``entry`` is what the first of them is called, and where the report's data have the id.
    ``on_restored`` gets the restored copy before it is dropped.

    The caller holds the migration lock. Raises Refused where the backup is not good, and what ``create_backup``
    raises where there is none.
    """
    settings = live.settings
    backup = create_backup(settings, live.dialect, live.url, reason=reason, narrate=narrate)
    size = f"{backup.bytes:,} bytes"
    draft.passed(entry, f"{settings.relative(backup.path)}, {size}")
    draft.data[entry] = backup.id
    if unkept := tuple(find_unkept_key(backup)):
        draft.add(Entry.of("signature", unkept))
    with reading(backup):
        verification, findings = verify_backup(
            settings,
            live.dialect,
            backup,
            like=live.url,
            is_new=True,
            narrate=narrate,
            on_restored=on_restored,
        )
    if verification is None:
        draft.add(Entry.of("verify", findings))
        raise Refused(
            f"the backup {backup.id} is not good for a restore",
            why="; ".join(finding.message for finding in findings[:3]),
            next="look at the disk and at the server's log, then run again",
        )
    draft.add(Entry.of("verify", findings, verification.described()))
    backup = replace(backup, manifest=backup.manifest.with_verification(verification))
    if settings.offsite:
        findings = copy_if_asked(settings, backup, narrate=narrate)
        draft.add(Entry.of("copy", findings, f"{settings.offsite}/{backup.id}"))
    return backup
