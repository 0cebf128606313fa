"""Fixes: decided by policy or asked for by a person, noted before they are tried, and looked at afterwards.

What does not hold when it is looked at again is taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from govern.actions.notebook import Notebook, make_event
from govern.core.fixing import Attempt, Decision, Policy, decide, is_broken, refuse_fix
from govern.core.issue import Issue
from govern.core.monitoring import Event, EventKind, read_attempts, refuse_rollback
from govern.core.wording import first_line
from govern.errors import CouldNotCheck
from govern.log import Log
from govern.monitor.checks import Repaired
from govern.monitor.clock import Clock
from govern.monitor.worker import Work

log = Log(__name__)

MONITOR = "monitor"
"""The actor of what nobody asked for."""
_PAGE_AGAIN_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """What was seen after a fix."""

    problem: str = ""
    """What is wrong; empty where nothing is."""
    is_certain: bool = True
    """Whether somebody could look at all: what nobody has seen is not taken back."""


LookAgain = Callable[[Issue], SecondLook]
"""Looks again after a fix of the issue."""


@dataclass(slots=True)
class Told:
    """What a pass has to tell of its fixes."""

    pages: list[str] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)


class Fixer:
    """Tries fixes, and knows what was tried: by this process with its own clock, by others from their notes."""

    def __init__(
        self, notebook: Notebook, *, work: Work, clock: Clock, holds_turn: Callable[[], bool]
    ) -> None:
        self._notebook = notebook
        self._work = work
        self._clock = clock
        self._holds_turn = holds_turn
        self._ticks: dict[str, float] = {}
        self._paged: dict[str, float] = {}
        self.fixed = 0

    def fix_by_policy(self, issues: Iterable[Issue], policy: Policy, look_again: LookAgain) -> Told:
        """Goes through the issues, the gravest first. Without its notes it tries nothing."""
        told = Told()
        for issue in issues:
            attempts = self._read_attempts()
            if attempts is None:
                break
            decision = decide(issue, policy, attempts, self._clock.now())
            if decision.act == "tell":
                self._note_dry(issue, told)
            elif decision.act == "fix":
                self._fix(issue, MONITOR, decision.most_rows, look_again, told)
            elif decision.needs_person:
                self._page(issue.key, _ask_for_person(issue, decision), told)
        return told

    def fix_as_asked(self, issue: Issue | None, actor: str, look_again: LookAgain) -> Told:
        """A person has decided: the policy is not asked, only whether it can be done without a loss."""
        told = Told()
        refusal = "there is no such issue" if issue is None else refuse_fix(issue)
        if refusal or issue is None:
            self._notebook.write(events=(make_event("fix-failed", actor, issue=issue, detail=refusal or ""),))
        else:
            self._fix(issue, actor, None, look_again, told)
        return told

    def roll_back_as_asked(self, run: str, actor: str) -> Told:
        """Takes a run back that a person has chosen; what is in its way is written down."""
        told, events = Told(), self._notebook.read_events()
        fix = next((event for event in events if event.run == run and event.attempt), None)
        refusal = "there is no such fix" if fix is None else refuse_rollback(fix, events)
        if refusal or fix is None:
            about = fix or make_event("rollback", actor, run=run)
            ended = self._follow(about, "rollback-failed", actor, detail=refusal or "")
            self._notebook.write(events=(ended,))
        else:
            self._take_back(fix, actor, told)
        return told

    def is_broken(self) -> bool:
        """Whether two fixes have failed since a person last started the monitor."""
        return is_broken(self._read_attempts() or ())

    def _read_attempts(self) -> tuple[Attempt, ...] | None:
        try:
            return read_attempts(self._notebook.read_events(), self._ticks)
        except CouldNotCheck as error:
            log.warning("monitor_history_unread", error=first_line(error))
            return None

    def _fix(
        self, issue: Issue, actor: str, most_rows: int | None, look_again: LookAgain, told: Told
    ) -> None:
        now = self._clock.now()
        begun = make_event("fixing", actor, issue=issue, at=now.wall)
        if not (self._holds_turn() and self._notebook.announce(begun)):
            return  # another one may be at it; and nothing is done that cannot be told
        self._ticks[begun.id] = now.monotonic
        log.info("monitor_fix_began", issue=issue.key, subject=issue.subject, actor=actor)
        repaired = self._work.repair(issue, most_rows)
        begun = replace(begun, run=repaired.run)
        problem = self._judge(issue, repaired, begun, look_again, told)
        ended = self._follow(
            begun,
            "fix-failed" if problem else "fixed",
            actor,
            attempt=begun.id,
            backup=repaired.backup,
            detail=problem,
        )
        self._notebook.write(events=(ended,))
        if problem:
            log.warning("monitor_fix_failed", issue=issue.key, subject=issue.subject, problem=problem)
            told.acts.append(f"fix failed: {issue.subject}: {problem}")
            if self.is_broken():
                self._page("breaker", _BREAKER, told)
        else:
            self.fixed += 1
            log.info("monitor_fix_done", issue=issue.key, subject=issue.subject, run=repaired.run)
            told.acts.append(f"fixed: {issue.subject}; backup {repaired.backup}")

    def _judge(
        self, issue: Issue, repaired: Repaired, begun: Event, look_again: LookAgain, told: Told
    ) -> str:
        """What is wrong after a fix, and what became of it then; empty where the issue is gone, and nothing came."""
        if repaired.problem:
            is_to_go, problem = repaired.is_partial, repaired.problem
        else:
            seen = look_again(issue)
            is_to_go, problem = bool(seen.problem) and seen.is_certain, seen.problem
        if not is_to_go or repaired.run is None:
            return problem
        left = self._take_back(begun, MONITOR, told)
        return f"{problem}; it was {f'not rolled back: {left}' if left else 'rolled back'}"

    def _take_back(self, fix: Event, actor: str, told: Told) -> str:
        """Why the run of an event could not be rolled back; empty where it was."""
        begun = self._follow(fix, "rolling-back", actor)
        if not (self._holds_turn() and self._notebook.announce(begun)):
            return "it could not be written down that it is tried"
        log.info("monitor_rollback_began", run=fix.run, subject=fix.subject, actor=actor)
        back = self._work.take_back(fix.run or "")
        kind: EventKind = "rollback-failed" if back.problem else "rolled-back"
        said = back.problem or f"by {back.run}"
        ended = self._follow(fix, kind, actor, backup=back.backup, detail=said)
        self._notebook.write(events=(ended,))
        if back.problem:
            log.warning("monitor_rollback_failed", run=fix.run, problem=back.problem)
            self._page(f"rollback {fix.run}", f"{fix.subject}: {_NOT_BACK}: {back.problem}", told)
        else:
            log.info("monitor_rollback_done", run=fix.run, by=back.run)
            told.acts.append(f"rolled back: {fix.subject}: run {fix.run}, by {back.run}")
        return back.problem

    def _follow(self, event: Event, kind: EventKind, actor: str, **facts: Any) -> Event:
        """One more event about the same issue and run."""
        made = make_event(kind, actor, at=self._clock.now().wall, run=event.run, **facts)
        return replace(made, issue=event.issue, subject=event.subject, fix=event.fix)

    def _note_dry(self, issue: Issue, told: Told) -> None:
        now, what = self._clock.now(), _describe_fix(issue)
        event = make_event("would-fix", MONITOR, issue=issue, at=now.wall, detail=what)
        self._ticks[event.id] = now.monotonic
        self._notebook.write(events=(event,))
        told.acts.append(f"would fix (dry-run): {issue.subject}: {what}")

    def _page(self, about: str, sentence: str, told: Told) -> None:
        """Once an hour about the same."""
        now = self._clock.now()
        if now.monotonic - self._paged.get(about, float("-inf")) < _PAGE_AGAIN_SECONDS:
            return
        self._paged[about] = now.monotonic
        self._notebook.write(events=(make_event("paged", MONITOR, at=now.wall, detail=sentence),))
        told.pages.append(sentence)


_BREAKER = (
    "two fixes have failed; none is tried any more until a person has looked and runs: govern monitor start"
)
_NOT_BACK = "a fix could not be rolled back, and a person has to look"


def _ask_for_person(issue: Issue, decision: Decision) -> str:
    return f"{issue.subject}: {issue.current_state}: not fixed: {decision.reason}; a person has to look"


def _describe_fix(issue: Issue) -> str:
    return f"govern repair apply {issue.repair}" if issue.repair else "; ".join(issue.sql)
