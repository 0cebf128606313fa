"""Which backups stay and which may go: a policy, what is known of each, and the moment. Touches no file.

A backup stays if any rule keeps it. Each source, a database of a target, is counted by itself. Only what is known to
be good fills a count: neither a backup that was found unfit nor one that is dated in the future.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from govern.core.wording import count_of

if TYPE_CHECKING:
    from govern.core.backup import Backup, BackupManifest
    from govern.core.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How much is kept. Counts of 0 keep nothing, but for the newest and the newest verified one."""

    newest: int = 7
    days: int = 30
    daily: int = 0
    """Of so many days that have a backup, the newest of each; the same for weeks, months and years."""
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    verified: int = 1
    """The newest that a restore has proven."""
    ledger_days: int = 30
    """What the runs of so many days name as theirs stays."""

    def __post_init__(self) -> None:
        assert self.newest >= 1 and self.verified >= 1, "the newest ones always stay"  # noqa: S101, PT018


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """What backups are of. Two of one target are two, if their databases have other names."""

    target: str
    database: str
    dialect: str

    @classmethod
    def of(cls, manifest: BackupManifest) -> Source:
        return cls(manifest.target, manifest.database, manifest.dialect)

    def __str__(self) -> str:
        return f"{self.target} ({self.database})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Which backups ledgers need. Where a ledger was not read, it is everything that is young enough for that."""

    by_backup: Mapping[str, str] = field(default_factory=dict)
    """Which run it is, in words, by the backup's id."""
    read: frozenset[Source] = frozenset()
    """Whose ledger was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDatabase:
    """What a restore took out of use, and kept."""

    name: str
    """PostgreSQL: a database; SQLite: the path of a file. As the ledger's run has it."""
    kept_at: datetime
    bytes: int | None
    """None where it may not be asked."""

    @classmethod
    def named(cls, name: str, moment: str, *, bytes: int | None) -> KeptDatabase | None:
        """By the end of its name: ``20261121120000``, in UTC. None for what is no moment."""
        if len(moment) != len("20261121120000") or not (moment.isascii() and moment.isdecimal()):
            return None
        try:
            kept_at = datetime.strptime(moment, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(name=name, kept_at=kept_at, bytes=bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether one backup stays, and why."""

    backup: Backup
    stays: bool
    reasons: tuple[str, ...]
    """Every rule that keeps it; for one that goes, why none does."""

    def staying(self, reason: str) -> Verdict:
        """The same backup, kept for a reason that no policy knows."""
        return Verdict(backup=self.backup, stays=True, reasons=(reason,))


def decide(backups: Iterable[Backup], policy: Policy, *, needs: Needs, now: datetime) -> tuple[Verdict, ...]:
    """One verdict for each backup, newest first."""
    by_source = itertools.groupby(sorted(backups, key=_source), key=_source)
    verdicts = itertools.chain.from_iterable(
        _decide_source(source, _newest_first(group), policy, needs, now) for source, group in by_source
    )
    return tuple(sorted(verdicts, key=lambda verdict: _moment(verdict.backup), reverse=True))


def find_needed(runs: Iterable[Run], policy: Policy, *, now: datetime) -> Mapping[str, str]:
    """The backups that runs of the last days took or restored, and which run it is, in words."""
    runs = tuple(runs)
    since = max((run.started_at for run in runs if run.started_at <= now), default=now)
    recent = (run for run in runs if since - run.started_at < timedelta(days=policy.ledger_days))
    return {
        backup: f"{run.command} of {run.started_at:%Y-%m-%d} has it in the ledger"
        for run in recent
        for backup in (run.backup, run.restored_from)
        if backup is not None
    }


def count_age_from(backups: Iterable[Backup], now: datetime) -> datetime:
    """The newest backup's moment, or now where that is earlier, or there is none.

    A clock that jumps ahead, and backups that are not made any more, let nothing grow old.
    """
    return max((moment for backup in backups if (moment := backup.manifest.created_at) <= now), default=now)


def _decide_source(
    source: Source, backups: tuple[Backup, ...], policy: Policy, needs: Needs, now: datetime
) -> Iterator[Verdict]:
    since = count_age_from(backups, now)
    reasons: dict[str, list[str]] = {backup.id: [] for backup in backups}
    for backup, reason in _keep(source, backups, policy, needs, now, since):
        reasons[backup.id].append(reason)
    staying = sum(bool(kept) for kept in reasons.values())
    for backup in backups:
        kept = reasons[backup.id]
        why = tuple(kept) or (_describe_going(backup, staying, since),)
        yield Verdict(backup=backup, stays=bool(kept), reasons=why)


def _keep(
    source: Source,
    backups: tuple[Backup, ...],
    policy: Policy,
    needs: Needs,
    now: datetime,
    since: datetime,
) -> Iterator[tuple[Backup, str]]:
    """Each backup that a rule keeps, with the rule in words."""
    past = tuple(backup for backup in backups if _created(backup) <= now)
    good = tuple(backup for backup in past if backup.manifest.unfit is None)
    future = "dated in the future: a clock is wrong"
    yield from ((backup, future) for backup in backups if _created(backup) > now)
    yield from _name(good[: policy.newest], "the newest", f"one of the {policy.newest} newest")
    young = f"younger than {count_of(policy.days, 'day')}"
    yield from ((backup, young) for backup in past if since - _created(backup) < timedelta(days=policy.days))
    for count, name, period in _periods(policy):
        yield from _keep_newest_of_each(good, count, name, period)
    proven = tuple(backup for backup in good if backup.manifest.is_proven)
    yield from _name(
        proven[: policy.verified],
        "the newest verified one",
        f"one of the {policy.verified} newest verified ones",
    )
    if not proven:  # whatever found them unfit, a full disk for one, may have been wrong
        unfit = "found unfit, but no other is proven to be better"
        yield from ((backup, unfit) for backup in past if backup.manifest.unfit is not None)
    yield from _keep_needed(source, past, policy, needs, since)
    yield from (
        (backup, f"pinned: {backup.manifest.pinned}")
        for backup in backups
        if backup.manifest.pinned is not None
    )


def _name(backups: tuple[Backup, ...], first: str, others: str) -> Iterator[tuple[Backup, str]]:
    return ((backup, others if position else first) for position, backup in enumerate(backups))


Period = Callable[[datetime], str]


def _periods(policy: Policy) -> tuple[tuple[int, str, Period], ...]:
    """Grandfather, father, son, in UTC; weeks are those of ISO 8601."""
    return (
        (policy.daily, "day", lambda moment: f"{moment:%Y-%m-%d}"),
        (policy.weekly, "week", lambda moment: f"{moment:%G-W%V}"),
        (policy.monthly, "month", lambda moment: f"{moment:%Y-%m}"),
        (policy.yearly, "year", lambda moment: f"{moment:%Y}"),
    )


def _keep_newest_of_each(
    good: tuple[Backup, ...], count: int, name: str, period: Period
) -> Iterator[tuple[Backup, str]]:
    """Of the last ``count`` periods that have one the newest, as restic counts them: periods without are passed over.

    See https://restic.readthedocs.io/en/stable/060_forget.html. What another rule keeps counts, too.
    """
    newest: dict[str, Backup] = {}
    for backup in good:
        newest.setdefault(period(_created(backup).astimezone(UTC)), backup)
    for when, backup in itertools.islice(newest.items(), count):
        yield backup, f"the newest of the {name} {when}"


def _keep_needed(
    source: Source, past: tuple[Backup, ...], policy: Policy, needs: Needs, since: datetime
) -> Iterator[tuple[Backup, str]]:
    span = timedelta(days=policy.ledger_days)
    for backup in past:
        if backup.id in needs.by_backup:
            yield backup, needs.by_backup[backup.id]
        elif source not in needs.read and since - _created(backup) < span:
            days = count_of(policy.ledger_days, "day")
            yield backup, f"a run of the last {days} may need it: its ledger was not read"


def _describe_going(backup: Backup, staying: int, since: datetime) -> str:
    unfit = f"found unfit on {backup.manifest.unfit.at:%Y-%m-%d}; " if backup.manifest.unfit else ""
    age = count_of(max((since - _created(backup)).days, 0), "day")
    return f"{unfit}{age} older than the newest; {staying} of its database stay"


def _newest_first(backups: Iterable[Backup]) -> tuple[Backup, ...]:
    return tuple(sorted(backups, key=_moment, reverse=True))


def _source(backup: Backup) -> Source:
    return Source.of(backup.manifest)


def _created(backup: Backup) -> datetime:
    return backup.manifest.created_at


def _moment(backup: Backup) -> tuple[datetime, str]:
    """Equal moments are told apart by the ids, in every run alike."""
    return backup.manifest.created_at, backup.id
