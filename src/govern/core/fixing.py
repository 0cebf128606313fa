"""What a monitor may fix by itself: the policy, what was tried before, and the decision. Knows no clock of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from govern.core.issue import FixKind, Issue

Mode = Literal["off", "dry-run", "apply"]
Outcome = Literal["pending", "fixed", "failed", "forgiven", "taken-back"]
"""``forgiven``: it failed, and a person has started the monitor again since. ``taken-back``: a person did that."""

SAME_FIX = timedelta(hours=1)
"""For so long the same fix is not tried again."""
FAILURES_UNTIL_BREAK = 2
MOST_ROWS = 1_000
"""A fix that would touch more rows needs a person, unless the policy says otherwise."""


GENTLE_WAYS: Mapping[str, FixKind] = {
    "add_foreign_key": "recreate_missing",
    "create_index_concurrently": "recreate_missing",
    "rebuild_invalid_index": "restore_changed",
}
"""Kinds of declared repairs that do what a fix of drift does, while others read and write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A part of the day; one that ends before it begins goes over midnight."""

    begin: time
    end: time
    zone: tzinfo = UTC

    def has(self, moment: datetime) -> bool:
        now = moment.astimezone(self.zone).time()
        if self.begin <= self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M} to {self.end:%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedFix:
    """A repair of the manifest, or a kind of fixes, that the team allows."""

    kind: FixKind | None = None
    repair: str | None = None
    tables: tuple[str, ...] = ()
    """By full name; none: every critical table."""
    most_rows: int = MOST_ROWS

    def covers(self, issue: Issue) -> bool:
        if self.repair is not None:
            return self.repair == issue.repair
        is_kind = self.kind is not None and self.kind in (issue.fix, GENTLE_WAYS.get(issue.fix or ""))
        return is_kind and (not self.tables or issue.table in self.tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the manifest allows. Without one nothing is fixed, and nothing is said to be fixable."""

    mode: Mode = "dry-run"
    allowed: tuple[AllowedFix, ...] = ()
    critical_tables: frozenset[str] = frozenset()
    """By full name: only theirs may be fixed."""
    hours: Hours | None = None
    most_per_hour: int = 3

    def find_allowed(self, issue: Issue) -> AllowedFix | None:
        """What allows its fix: a repair's own name before its kind."""
        covering = [one for one in self.allowed if one.covers(issue)]
        return min(covering, key=lambda one: one.repair is None, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Now, by the clock on the wall and by the one that is never set."""

    wall: datetime
    monotonic: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A fix that was tried, or would have been in a dry run."""

    key: str
    """The issue's."""
    fix: str
    at: datetime
    monotonic: float | None = None
    """None of one that another process tried."""
    outcome: Outcome = "pending"
    is_dry: bool = False

    def is_within(self, span: timedelta, now: Moment) -> bool:
        """Whether it was tried less than ``span`` ago. A clock that was set back makes nothing older than it is."""
        if self.monotonic is not None:
            return now.monotonic - self.monotonic < span.total_seconds()
        return self.at > now.wall or now.wall - self.at < span


Act = Literal["fix", "tell", "leave"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do about an issue, and why."""

    act: Act
    """``tell``: it would be fixed, were this no dry run."""
    reason: str
    needs_person: bool = False
    """It was fixed and came back, or there is more to fix than may be: somebody has to look."""
    most_rows: int = MOST_ROWS
    """Of a fix: what is more is refused."""


def refuse_fix(issue: Issue) -> str | None:
    """Why nobody may have the issue fixed by the monitor, whatever the policy says; None where it can be."""
    if issue.state == "resolved":
        return "it is gone already"
    if issue.repair is not None:
        return None  # what it deletes is copied, and it is planned when it is applied
    if issue.fix is None or not issue.sql:
        return "there is no repair for it that runs by itself"
    if issue.loses_data:
        return "its repair could lose data: a person decides that, with govern repair plan"
    return None if issue.is_proven else "its repair was not proven on a copy"


def is_broken(attempts: Iterable[Attempt]) -> bool:
    """Whether the breaker is open: the last two that came to an end have failed. ``attempts``: the oldest first."""
    ended = [attempt for attempt in attempts if not attempt.is_dry and attempt.outcome != "pending"]
    last = ended[-FAILURES_UNTIL_BREAK:]
    return len(last) == FAILURES_UNTIL_BREAK and all(attempt.outcome == "failed" for attempt in last)


def decide(issue: Issue, policy: Policy, attempts: tuple[Attempt, ...], now: Moment) -> Decision:
    """Whether the monitor fixes the issue by itself. ``attempts``: the oldest first."""
    if refusal := refuse_fix(issue) or _refuse_by_policy(issue, policy, now):
        return Decision(act="leave", reason=refusal)
    if is_broken(attempts):
        return Decision(act="leave", reason="two fixes have failed: a person has to look, and start it again")
    if any((one.key, one.outcome) == (issue.key, "taken-back") for one in attempts):
        return Decision(
            act="leave", reason="a person took this fix back; govern monitor start allows it again"
        )
    allowed = policy.find_allowed(issue) or AllowedFix()
    if (rows := _rows_of(issue)) > allowed.most_rows:
        reason = f"{rows:,} rows are more than the {allowed.most_rows:,} that the policy allows"
        return Decision(act="leave", reason=reason, needs_person=policy.mode == "apply")
    counted = [attempt for attempt in attempts if attempt.is_dry == (policy.mode == "dry-run")]
    recent = [attempt for attempt in counted if attempt.is_within(timedelta(hours=1), now)]
    if any((one.key, one.fix) == (issue.key, issue.fix) for one in recent if one.is_within(SAME_FIX, now)):
        return Decision(
            act="leave",
            reason="the same fix was tried within the last hour",
            needs_person=policy.mode == "apply",
        )
    if len(recent) >= policy.most_per_hour:
        return Decision(
            act="leave",
            reason=f"{len(recent)} fixes were tried within the last hour, as many as the policy allows",
            needs_person=policy.mode == "apply",
        )
    if policy.mode == "dry-run":
        return Decision(act="tell", reason="the policy's mode is dry-run")
    return Decision(act="fix", reason="the policy allows it", most_rows=allowed.most_rows)


def _rows_of(issue: Issue) -> int:
    """Those that its repair is about, as they were last counted."""
    rows = issue.evidence.get("rows") if issue.repair else None
    return rows if isinstance(rows, int) else 0


_LOST_WITH_IT = {"table": "rows", "column": "values", "sequence": "position"}
"""What an object has that no statement brings back: an empty one in its place would hide the loss."""


def _refuse_by_policy(issue: Issue, policy: Policy, now: Moment) -> str | None:
    if issue.tier != "critical" or issue.table not in policy.critical_tables:
        return "only critical issues of critical tables are fixed"
    if issue.fix == "recreate_missing" and issue.kind in _LOST_WITH_IT:
        return f"a {issue.kind} is gone with its {_LOST_WITH_IT[issue.kind]}: a person brings them back from a backup"
    if policy.mode == "off":
        return "the policy's mode is off"
    if policy.find_allowed(issue) is None:
        what = f"the repair {issue.repair}" if issue.repair else issue.fix
        return f"the policy does not allow {what} for {issue.table}"
    if policy.hours is not None and not policy.hours.has(now.wall):
        return f"the policy allows fixes from {policy.hours}"
    return None
