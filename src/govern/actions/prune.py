"""Removes backups that no rule keeps, and databases that restores have kept for long enough. What is left is whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from govern.actions.backup.removal import Removal, remove_backups
from govern.actions.backup.store import find_damaged, has_older_than, list_backups
from govern.core.report import Draft, Entry
from govern.core.retention import (
    KeptDatabase,
    Needs,
    Policy,
    Source,
    Verdict,
    count_age_from,
    decide,
    find_needed,
)
from govern.core.wording import count_of, name_bytes
from govern.errors import CouldNotCheck

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.backup import Backup
    from govern.core.run import Run
    from govern.database.live import LiveDatabase

_MANY_RUNS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The runs of the target's database, as far as they can be read."""

    runs: tuple[Run, ...] | None
    """None where they cannot."""
    source: Source
    why: str = ""

    def needs(self, policy: Policy, now: datetime) -> Needs:
        if self.runs is None:
            return Needs()
        needed = find_needed(self.runs, policy, now=now)
        return Needs(by_backup=needed, read=frozenset({self.source}))


def read_ledger(live: LiveDatabase) -> Ledger:
    """Of a database that does not answer nothing is known, and all that it may need is kept."""
    source = Source(live.settings.target, live.url.database, live.dialect.name)
    try:
        with live.connect() as connection:
            return Ledger(runs=live.dialect.read_runs(connection, _MANY_RUNS), source=source)
    except CouldNotCheck as error:
        return Ledger(runs=None, source=source, why=f"{error.what}: {error.why}")


def prune_backups(
    settings: Settings,
    draft: Draft,
    policy: Policy,
    ledger: Ledger,
    *,
    yes: bool,
    now: datetime | None = None,
) -> None:
    """What the policy keeps and what goes, as rows of the report; only with ``yes`` it goes.

    Raises NotPermitted or CouldNotCheck where the file system says no.
    """
    now = now or datetime.now(UTC)
    _tell_ledger(draft, ledger, policy, now)
    verdicts: tuple[Verdict, ...] = ()

    def choose(backups: tuple[Backup, ...]) -> Iterator[Backup]:
        nonlocal verdicts
        seen = tuple(_look_at(backup, now) for backup in backups)
        verdicts = decide(seen, policy, needs=ledger.needs(policy, now), now=now)
        return (verdict.backup for verdict in verdicts if not verdict.stays)

    removal = Removal()
    if yes:
        removal = remove_backups(settings, choose)
        verdicts = _correct(verdicts, removal)
    else:
        choose(list_backups(settings))
    draft.data["prune"] = [*_rows(verdicts, removal), *_damaged_rows(settings)]
    draft.passed("prune", _describe(verdicts, removal, yes=yes))
    draft.data["freed_bytes"] = sum(backup.bytes for backup in removal.removed)


def _look_at(backup: Backup, now: datetime) -> Backup:
    """Nothing goes for the sake of a backup that lost a file since it was verified, or a part of one."""
    for file in backup.manifest.files:
        path = backup.path / file.path
        if not path.is_file() or path.stat().st_size != file.bytes:
            why = f"{file.path} is missing, or has another size than it was written with"
            return replace(backup, manifest=backup.manifest.found_unfit(now, why))
    return backup


def tell_prunable(settings: Settings, draft: Draft, policy: Policy, *, now: datetime | None = None) -> None:
    """An entry of the report where backups could go, as far as that is known without their ledgers; else none."""
    now = now or datetime.now(UTC)
    with contextlib.suppress(CouldNotCheck):  # for whoever has something more important to tell
        if not has_older_than(settings, now - timedelta(days=policy.days)):
            return  # what is young stays
        verdicts = decide(list_backups(settings), policy, needs=Needs(), now=now)
        going = tuple(verdict.backup for verdict in verdicts if not verdict.stays)
        if going:
            size = name_bytes(sum(backup.bytes for backup in going))
            draft.passed(
                "old backups", f"{count_of(len(going), 'backup')} could go, {size}: govern backup prune"
            )


def _tell_ledger(draft: Draft, ledger: Ledger, policy: Policy, now: datetime) -> None:
    if ledger.runs is None:
        reason = f"could not be read, so what its runs may need stays: {ledger.why}"
        draft.add(Entry(name="ledger", status="skipped", reason=reason, is_optional=True))
        return
    needed = len(ledger.needs(policy, now).by_backup)
    days = count_of(policy.ledger_days, "day")
    draft.passed("ledger", f"runs of the last {days} name {count_of(needed, 'backup')}")


def _correct(verdicts: tuple[Verdict, ...], removal: Removal) -> tuple[Verdict, ...]:
    in_use = {backup.id for backup in removal.in_use}
    foreign = {backup.id for backup in removal.foreign}
    return tuple(
        verdict.staying("it is being verified or restored right now")
        if verdict.backup.id in in_use
        else verdict.staying("its folder holds files that govern did not write")
        if verdict.backup.id in foreign
        else verdict
        for verdict in verdicts
    )


def _rows(verdicts: tuple[Verdict, ...], removal: Removal) -> Iterator[dict[str, Any]]:
    removed = {backup.id for backup in removal.removed}
    for verdict in verdicts:
        fate = "stays" if verdict.stays else "removed" if verdict.backup.id in removed else "goes"
        yield {
            "id": verdict.backup.id,
            "target": verdict.backup.manifest.target,
            "fate": fate,
            "bytes": verdict.backup.bytes,
            "why": list(verdict.reasons),
        }


def _damaged_rows(settings: Settings) -> Iterator[dict[str, Any]]:
    for finding in find_damaged(settings):
        yield {
            "id": finding.subject.name,
            "target": None,
            "fate": "stays",
            "bytes": None,
            "why": ["its manifest cannot be read: govern backup list says why"],
        }


def _describe(verdicts: tuple[Verdict, ...], removal: Removal, *, yes: bool) -> str:
    going = tuple(verdict.backup for verdict in verdicts if not verdict.stays)
    if not going:
        return f"nothing goes: {count_of(len(verdicts), 'backup')} stay"
    stay = f"{count_of(len(verdicts) - len(going), 'backup')} stay"
    size = name_bytes(sum(backup.bytes for backup in going))
    if yes:
        return f"{count_of(len(removal.removed), 'backup')} removed, {size} freed; {stay}"
    return f"{count_of(len(going), 'backup')} would go, {size}; {stay}. To remove them: govern backup prune --yes"


def prune_kept_databases(
    live: LiveDatabase,
    draft: Draft,
    policy: Policy,
    ledger: Ledger,
    *,
    yes: bool,
    now: datetime | None = None,
) -> None:
    """The same for databases that restores took out of use, by the policy's days, and if the ledger knows of them."""
    if ledger.runs is None:
        return  # the database itself may be under one of these names
    kept = live.dialect.find_kept(live.url)
    if not kept:
        return
    since = count_age_from(list_backups(live.settings), now or datetime.now(UTC))
    known = {run.kept_as for run in ledger.runs}
    rows = [_judge_kept(live, one, policy, since, is_known=one.name in known, yes=yes) for one in kept]
    draft.data["kept_databases"] = rows
    is_done = not any(row["fate"] == "refused" for row in rows)
    draft.add(
        Entry(name="kept databases", status="passed" if is_done else "skipped", reason=_describe_kept(rows))
    )


def _judge_kept(
    live: LiveDatabase, kept: KeptDatabase, policy: Policy, since: datetime, *, is_known: bool, yes: bool
) -> dict[str, Any]:
    days = count_of(policy.days, "day")
    if not is_known:
        fate, why = "stays", "no run in the ledger says that a restore kept it: drop it by hand"
    elif since - kept.kept_at < timedelta(days=policy.days):
        fate, why = "stays", f"younger than {days}"
    elif not yes:
        fate, why = "goes", f"older than {days}"
    else:
        fate, why = _drop_kept(live, kept, f"older than {days}")
    return {
        "name": kept.name,
        "kept_at": kept.kept_at.isoformat(),
        "fate": fate,
        "bytes": kept.bytes,
        "why": [why],
    }


def _drop_kept(live: LiveDatabase, kept: KeptDatabase, why: str) -> tuple[str, str]:
    try:
        is_dropped = live.dialect.drop_kept(live.url, kept)
    except CouldNotCheck as error:
        return "refused", f"{error.why}; {error.next}"
    return ("removed", why) if is_dropped else ("stays", "somebody is connected to it")


def _describe_kept(rows: list[dict[str, Any]]) -> str:
    count = {
        fate: sum(row["fate"] == fate for row in rows) for fate in ("goes", "refused", "removed", "stays")
    }
    said = [
        f"{count_of(number, 'database')} {words}"
        for number, words in (
            (count["removed"], "dropped"),
            (count["refused"], "could not be dropped"),
            (count["goes"], "that restores kept would go: govern backup prune --yes --kept-databases"),
            (count["stays"], "that restores kept stay"),
        )
        if number
    ]
    return "; ".join(said)
