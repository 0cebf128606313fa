"""Tries backups out before they are needed: proves many of them again, or restores one as in earnest, and measures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from govern.actions.backup import (
    Level,
    amend_manifest,
    bring_here,
    list_backups,
    reading,
    verify_backup,
)
from govern.actions.restore.beside import compare_beside, restore_beside
from govern.actions.restore.fit import find_fitting
from govern.actions.validate import validate
from govern.core.backup import Backup
from govern.core.drill import Drill
from govern.core.reached import Reached
from govern.core.report import Draft, Entry
from govern.core.wording import count_of, name_seconds
from govern.database.live import LiveDatabase
from govern.errors import ConfigurationError, CouldNotCheck, Refused
from govern.revisions.graph import Chain
from govern.source.manifest import Manifest

Narrate = Callable[[str], None]
Clock = Callable[[], float]


def verify_many(
    live: LiveDatabase,
    draft: Draft,
    *,
    level: Level = "content",
    verify_every: timedelta | None,
    budget_seconds: float | None,
    narrate: Narrate,
    now: datetime | None = None,
    clock: Clock = time.monotonic,
) -> None:
    """Proves every backup of the target again, newest first; one entry each.

    ``verify_every``: only those that were not looked at for so long. With ``budget_seconds`` the first of them, and
    then as many as are expected to be done by then.
    """
    due = tuple(find_due(live, verify_every, now or datetime.now(UTC)))
    started_at, verified = clock(), 0
    for backup in due:
        spent = clock() - started_at
        expected = _expect_seconds(backup, due[:verified], spent)
        if verified and budget_seconds is not None and spent + expected > budget_seconds:
            break
        draft.add(_verify(live, backup, level, narrate))
        verified += 1
    left = len(due) - verified
    if left:
        reason = (
            f"{count_of(left, 'backup')} not reached in {name_seconds(budget_seconds or 0)}: the older ones"
        )
        draft.add(Entry(name="budget", status="skipped", reason=reason, is_optional=True))
    if not due:
        draft.passed("verify", "nothing is due" if verify_every else "there is no backup of the target")


def find_due(live: LiveDatabase, verify_every: timedelta | None, now: datetime) -> Iterator[Backup]:
    """Those of the target that were not looked at for ``verify_every``; None: all of them. Newest first."""
    for backup in list_backups(live.settings):
        manifest = backup.manifest
        if (manifest.target, manifest.dialect) != (live.settings.target, live.dialect.name):
            continue
        looks = [look.at for look in (manifest.verified, manifest.unfit) if look is not None]
        is_recent = verify_every is not None and any(timedelta() <= now - at < verify_every for at in looks)
        if not is_recent:
            yield backup


def _expect_seconds(backup: Backup, done: tuple[Backup, ...], spent: float) -> float:
    """As long as it took last time; else as those took that were verified a moment ago, by their sizes."""
    if backup.manifest.verified is not None:
        return backup.manifest.verified.duration_ms / 1000
    return spent * backup.bytes / max(sum(one.bytes for one in done), 1)


def _verify(live: LiveDatabase, backup: Backup, level: Level, narrate: Narrate) -> Entry:
    def say(sentence: str) -> None:
        named = f"{backup.id}: {sentence}"
        narrate(sentence.saying(named) if isinstance(sentence, Reached) else named)

    try:
        with reading(backup):
            verification, findings = verify_backup(
                live.settings, live.dialect, backup, like=live.url, level=level, narrate=say
            )
    except (ConfigurationError, CouldNotCheck, Refused) as error:
        return Entry(name=backup.id, status="skipped", reason=f"{error.what}: {error.why}")
    reason = verification.described() if verification else "not good for a restore"
    return Entry.of(backup.id, findings, reason)


def drill(
    live: LiveDatabase,
    draft: Draft,
    chain: Chain,
    manifest: Manifest | None,
    wanted: str,
    *,
    narrate: Narrate,
    clock: Clock = time.monotonic,
) -> Drill:
    """Restores a backup beside the live database as a real restore does, up to the exchange, and drops the result.

    No migration runs meanwhile. How long it took is written into the backup's manifest. Raises what a real restore
    would raise until then: Refused, NotPermitted or CouldNotCheck, with the live database as it was.
    """
    started_at = clock()
    bring_here(live.settings, wanted, narrate=narrate)
    narrate("reading every file of the backup")
    backup = find_fitting(live.settings, draft, live.dialect, chain, wanted)
    fetched_at = clock()
    with (
        reading(backup),
        live.dialect.replacing(live.url, wait_seconds=live.settings.lock_wait_seconds) as replacement,
    ):
        if replacement.put_back:
            draft.passed("put back", f"a restore was interrupted: {replacement.put_back} has its name again")
        ready_at = clock()
        side = restore_beside(live, backup, replacement, narrate=narrate)
        restored_at = clock()
        compare_beside(side, draft, backup, narrate=narrate)
        compared_at = clock()
        narrate("validating it")
        _validate(side, draft, chain, manifest)
        validated_at = clock()
    done = Drill(
        at=datetime.now(UTC),
        bytes=backup.bytes,
        fetch_seconds=round(fetched_at - started_at, 3),
        restore_seconds=round(restored_at - ready_at, 3),
        compare_seconds=round(compared_at - restored_at, 3),
        validate_seconds=round(validated_at - compared_at, 3),
    )
    amend_manifest(backup, lambda known: replace(known, drilled=done))
    draft.data["drill"] = done.to_json()
    draft.passed("drill", f"{done.described()}; nothing was exchanged, the live database is as it was")
    return done


def _validate(side: LiveDatabase, draft: Draft, chain: Chain, manifest: Manifest | None) -> None:
    stamped = side.read_stamped()
    if not stamped:
        reason = "the backup is of a database without a revision"
        draft.add(Entry(name="validate", status="skipped", reason=reason, is_optional=True))
        return
    is_at_head = set(stamped) == set(chain.effective_heads)
    validate(side, draft, manifest if is_at_head else None)  # the manifest speaks of the newest schema
