"""Is there a backup to go back to: not too old, and proven?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from govern.core.backup import Backup
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.wording import name_age

STALE = Rule(
    id="backup.stale",
    name="the newest good backup is too old",
    severity=Severity.WARNING,
    condition="the newest verified backup of the target is older than the manifest's backups.max_age, or there is none",
    effect="a restore would bring back a database without everything that was written since",
    remedy="govern backup create; see why the job that makes backups does not run",
)
UNVERIFIED = Rule(
    id="backup.unverified",
    name="the newest backup is not proven",
    severity=Severity.WARNING,
    condition="the newest backup of the target was never verified, or was found unfit when it was",
    effect="whether it would restore is not known, or it would not",
    remedy="govern backup verify ID says what is wrong with it; govern backup create makes another",
)
RULES = (STALE, UNVERIFIED)


def check_backups(
    backups: tuple[Backup, ...],
    target: str,
    *,
    max_age: timedelta | None,
    now: datetime,
    is_in_use: Callable[[Backup], bool],
) -> Iterator[Finding]:
    """``backups``: the target's, newest first. One that is dated in the future counts for nothing: how old is it?

    One that is in use and not verified yet is being verified at the moment: the one before it counts.
    """
    mine = tuple(
        backup
        for backup in backups
        if backup.manifest.created_at <= now
        and (backup.manifest.is_proven or backup.manifest.unfit or not is_in_use(backup))
    )
    if mine and not mine[0].manifest.is_proven:
        yield _find_unproven(mine[0])
    if max_age is not None:
        yield from _find_stale(mine, target, max_age, now)


def _find_unproven(backup: Backup) -> Finding:
    unfit = backup.manifest.unfit
    found = (
        f"was found unfit on {unfit.at:%Y-%m-%d %H:%M} UTC: {unfit.why}" if unfit else "was never verified"
    )
    return Finding.of(
        UNVERIFIED,
        Subject(kind="backup", name=backup.id),
        f"backup {backup.id}, the newest, {found}",
        remedy=UNVERIFIED.remedy.replace("ID", backup.id),
    )


def _find_stale(
    mine: tuple[Backup, ...], target: str, max_age: timedelta, now: datetime
) -> Iterator[Finding]:
    newest = next((backup for backup in mine if backup.manifest.is_proven), None)
    if newest is None:
        yield Finding.of(STALE, Subject(kind="target", name=target), f"{target} has no verified backup")
        return
    age = now - newest.manifest.created_at
    if age > max_age:
        named, allowed = name_age(age.total_seconds()), name_age(max_age.total_seconds()).removesuffix(" ago")
        yield Finding.of(
            STALE,
            Subject(kind="backup", name=newest.id),
            f"backup {newest.id}, the newest that is verified, was made {named}; {allowed} are allowed",
            evidence={
                "age_seconds": round(age.total_seconds()),
                "max_age_seconds": round(max_age.total_seconds()),
            },
        )
