"""One pass: look, compare with what is known, fix what policy allows, write it down, tell people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from govern.actions.notebook import Notebook, Notes, make_event, name_instance, rank
from govern.config import Settings
from govern.core.finding import Severity
from govern.core.fixing import Moment
from govern.core.issue import Issue, Sighting, is_left, issue_of, see
from govern.core.monitoring import CheckStatus, Health, MonitorStatus, Request
from govern.core.probed import Probed, ProbedSequence, name_entry, read_sequence
from govern.core.snapshot import default_namespace
from govern.database.url import DatabaseUrl
from govern.log import Log
from govern.monitor.checks import CHECKS, Seen
from govern.monitor.clock import Clock
from govern.monitor.fixing import MONITOR, Fixer, SecondLook, Told
from govern.monitor.notify import News, tell
from govern.monitor.policy import Orders
from govern.monitor.prober import Prober
from govern.monitor.worker import Work

log = Log(__name__)

_KEPT = timedelta(days=7)
"""How long an issue that is gone is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass has learned."""

    seen: tuple[Seen, ...]
    status: MonitorStatus


class Course:
    """The passes of one instance, and what it remembers between them."""

    def __init__(
        self,
        settings: Settings,
        url: DatabaseUrl,
        notebook: Notebook,
        *,
        work: Work,
        clock: Clock,
        holds_turn: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._url = url
        self._notebook = notebook
        self._work = work
        self._clock = clock
        self._fixer = Fixer(notebook, work=work, clock=clock, holds_turn=holds_turn)
        self._prober = Prober(work, clock)
        self._probed: Probed | None = None
        self._is_reachable = True
        self._looked: MonitorStatus | None = None
        """After the last pass, without what the application said."""
        self._issues: dict[str, Issue] = {}
        self._fixed_before = 0
        self.passes = 0
        self.status: MonitorStatus | None = None
        """As it was last written down."""

    @property
    def fixes(self) -> int:
        return self._fixer.fixed

    def remember(self, notes: Notes) -> None:
        """What is written down counts more than what this process knows: another one may have been active."""
        self._issues, self._probed = dict(notes.issues), notes.probed
        if notes.status is not None and notes.status.instance != name_instance():
            self._fixed_before = notes.status.total_fixes - self.fixes

    def look(self) -> Pass:
        """Looks, and neither writes nor fixes: another instance does."""
        began = self._clock.now()
        seen = tuple(self._work.look(tuple(CHECKS)))
        self._issues = dict(self._see(seen).issues)
        return Pass(seen=seen, status=self._describe(seen, began, began, ""))

    def make_pass(self, orders: Orders, *, next_monotonic: float, may_fix: bool) -> Pass:
        """All of a pass. ``next_monotonic``: when the next one is due."""
        began = self._clock.now()
        self._drop_undeclared(orders)
        seen = tuple(self._work.look(tuple(CHECKS)))
        sighting = self._see(seen)
        before, self._issues = self._issues, dict(sighting.issues)
        told, self._is_reachable = Told(), all(one.is_reachable for one in seen)
        if may_fix and self._is_reachable:
            told = self._fixer.fix_by_policy(rank(self._issues.values()), orders.policy, self._look_again)
        self.passes += 1
        self._looked = self._describe(seen, began, _in(self._clock.now(), next_monotonic), orders.trouble)
        self.status = status = self._record(self._with_application(self._looked))
        self._tell(orders, told, before)
        log.info("monitor_looked", health=status.health, issues=len(rank(self._issues.values())))
        return Pass(seen=seen, status=status)

    def ask_application(
        self, orders: Orders, *, has_looked: bool, patience_seconds: float = 0.0
    ) -> tuple[Seen, ...]:
        """Has the application asked where that is due, unless there is no database; what has come of it by now.

        ``has_looked``: whether a pass has just ended. Waits for ``patience_seconds`` at most.
        """
        if self._is_reachable:
            last_asked = self._probed.at if self._probed else None
            self._prober.begin(orders.probes, has_looked=has_looked, last_asked=last_asked)
        seen = self._prober.collect(patience_seconds)
        if seen is not None:
            self._take_in(seen, orders)
        return seen or ()

    def stop_asking(self) -> None:
        """Ends the probes that are under way."""
        self._prober.stop()

    def fix_as_asked(self, request: Request, orders: Orders) -> None:
        """Fixes what a person has chosen."""
        before = dict(self._issues)
        issue = self._issues.get(request.issue or "")
        told = self._fixer.fix_as_asked(issue, request.actor, self._look_again)
        self._notebook.write(issues=self._issues.values())
        self._tell(orders, told, before)

    def roll_back_as_asked(self, request: Request, orders: Orders) -> None:
        """Takes a run back that a person has chosen. What it had fixed is seen again by the next pass."""
        told = self._fixer.roll_back_as_asked(request.run or "", request.actor)
        self._tell(orders, told, dict(self._issues))

    def _take_in(self, seen: tuple[Seen, ...], orders: Orders) -> None:
        """What the application said becomes issues, or is their end."""
        before, self._issues = dict(self._issues), dict(self._see(seen).issues)
        self._probed = _sum_up_probes(seen, self._clock.now())
        self.status = self._with_application(self._looked) if self._looked else None
        issues = self._issues.values()
        hindered = self._notebook.write(status=self.status, issues=issues, probed=self._probed)
        if hindered:
            log.warning("monitor_hindered", trouble=hindered)
        self._tell(orders, Told(), before)
        down = [one.name for one in self._probed.sequences if not one.is_up]
        log.info("monitor_asked", sequences=len(self._probed.sequences), down=down)

    def _with_application(self, status: MonitorStatus) -> MonitorStatus:
        """The status, with what the application said at last."""
        trouble = status.trouble or (self._probed.trouble if self._probed else "")
        return replace(status, trouble=trouble, health=self._weigh(trouble))

    def _drop_undeclared(self, orders: Orders) -> None:
        """What was found by a sequence that the manifest does not have asked any more is nobody's concern."""
        if orders.trouble:
            return
        declared = set(map(name_entry, orders.probes.sequences)) if orders.probes else set()
        checks = {issue.check for issue in self._issues.values()}
        gone = frozenset(name for name in checks if read_sequence(name) and name not in declared)
        self._issues = dict(see(self._issues, (), decided=gone, now=self._clock.now().wall).issues)
        if self._probed is not None and not declared:
            self._probed = None
            self._notebook.forget_probed()

    def _see(self, seen: Sequence[Seen]) -> Sighting:
        """What start-up finds of drift is left to the check of drift, which knows its repair."""
        now, home = self._clock.now().wall, default_namespace(self._url.dialect)
        decided = frozenset(one.entry.name for one in seen if one.is_decided)
        found = [
            issue_of(finding, one.entry.name, now, home=home)
            for one in seen
            for finding in one.entry.findings
            if one.entry.name == "drift" or finding.rule.family != "drift" or "drift" not in decided
        ]
        return see(self._issues, found, decided=decided, now=now)

    def _look_again(self, issue: Issue) -> SecondLook:
        """After a fix: whether its issue is there still, or a critical one that was not there before."""
        names = [name for name in CHECKS if name in ("health", "drift", issue.check)]
        seen = tuple(self._work.look(names))
        sighting = self._see(seen)
        self._issues = dict(sighting.issues)
        worse = [other.subject for other in sighting.opened if other.severity >= Severity.CRITICAL]
        if worse:
            return SecondLook(problem=f"after its repair there is something new: {worse[0]}")
        undecided = [one.entry for one in seen if not one.is_decided]
        if undecided:
            why = f"nobody could look at it afterwards: {undecided[0].name}: {undecided[0].reason}"
            return SecondLook(problem=why, is_certain=False)
        if is_left(issue, sighting.issues[issue.key]):
            return SecondLook(problem="it is there still, after its repair")
        return SecondLook()

    def _describe(
        self, seen: Sequence[Seen], began: Moment, following: Moment, trouble: str
    ) -> MonitorStatus:
        now = self._clock.now()
        undecided = [f"{one.entry.name}: {one.entry.reason}" for one in seen if not one.is_decided]
        trouble = trouble or "; ".join(undecided)
        return MonitorStatus(
            instance=name_instance(),
            health=self._weigh(trouble),
            trouble=trouble,
            last_check=began.wall,
            next_check=following.wall,
            seconds=now.monotonic - began.monotonic,
            passes=self.passes,
            total_fixes=self._fixed_before + self.fixes,
            is_broken=self._fixer.is_broken() if all(one.is_reachable for one in seen) else False,
            checks=tuple(_sum_up(one) for one in seen),
        )

    def _weigh(self, trouble: str) -> Health:
        gravest = max((issue.severity for issue in rank(self._issues.values())), default=Severity.INFO)
        if gravest >= Severity.CRITICAL:
            return "critical"
        return "degraded" if gravest >= Severity.ERROR or trouble else "healthy"

    def _record(self, status: MonitorStatus) -> MonitorStatus:
        """In the database, and beside the project; what hinders either is a part of the status."""
        forgotten = self._forget()
        hindered = self._notebook.write(status=status, issues=self._issues.values(), forgotten=forgotten)
        status = self._with_trouble(status, hindered)
        hindered = self._notebook.write_file(status, self._issues.values())
        if status.trouble or hindered:
            log.warning("monitor_hindered", trouble=status.trouble or hindered)
        return self._with_trouble(status, hindered)

    def _with_trouble(self, status: MonitorStatus, trouble: str) -> MonitorStatus:
        if not trouble or status.trouble:
            return status
        return replace(status, trouble=trouble, health=self._weigh(trouble))

    def _forget(self) -> tuple[str, ...]:
        """The keys of what has been gone for long."""
        now = self._clock.now().wall
        old = tuple(
            key
            for key, issue in self._issues.items()
            if issue.state == "resolved" and now - issue.last_seen > _KEPT
        )
        for key in old:
            del self._issues[key]
        return old

    def _tell(self, orders: Orders, told: Told, before: dict[str, Issue]) -> None:
        was_open = {issue.key for issue in rank(before.values())}
        is_open = {issue.key: issue for issue in rank(self._issues.values())}
        news = News(
            database=self._url.redacted,
            target=self._settings.target,
            pages=tuple(told.pages),
            acts=tuple(told.acts),
            opened=tuple(issue for key, issue in is_open.items() if key not in was_open),
            resolved=tuple(self._issues[key] for key in was_open - is_open.keys() if key in self._issues),
        )
        for problem in tell(news, orders.notify, orders.folder):
            log.warning("monitor_told_nobody", problem=problem)
            self._notebook.write(events=(make_event("notification-failed", MONITOR, detail=problem),))


def _in(now: Moment, monotonic: float) -> Moment:
    """The moment at which the clock that is never set will say so much."""
    return Moment(wall=now.wall + timedelta(seconds=monotonic - now.monotonic), monotonic=monotonic)


def _sum_up(seen: Seen) -> CheckStatus:
    entry = seen.entry
    return CheckStatus(
        name=entry.name,
        status=entry.status,
        findings=len(entry.findings),
        seconds=seen.seconds,
        reason=entry.reason,
    )


def _sum_up_probes(seen: Sequence[Seen], now: Moment) -> Probed:
    asked = [one for one in seen if read_sequence(one.entry.name)]
    undecided = [one.entry for one in seen if one.entry.is_undecided]
    return Probed(
        at=now.wall,
        by=MONITOR,
        sequences=tuple(ProbedSequence.of(one.entry, one.seconds) for one in asked),
        trouble="; ".join(f"{entry.name}: {entry.reason}" for entry in undecided),
    )
