"""Fixes: decided by policy or asked for by a person, noted before they are tried, and looked at afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from govern.actions.notebook import Notebook, make_event
from govern.core.fixing import Attempt, Decision, Policy, decide, is_broken, refuse_fix
from govern.core.issue import Issue
from govern.core.monitoring import read_attempts
from govern.core.wording import first_line
from govern.errors import CouldNotCheck
from govern.log import Log
from govern.monitor.checks import Repaired
from govern.monitor.clock import Clock

log = Log(__name__)

MONITOR = "monitor"
"""The actor of what nobody asked for."""
_PAGE_AGAIN_SECONDS = 3_600.0

FindWrong = Callable[[Issue], str]
"""Looks again after a fix of the issue; says what is wrong, or nothing."""


@dataclass(slots=True)
class Told:
    """What a pass has to tell of its fixes."""

    pages: list[str] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)


class Fixer:
    """Tries fixes, and knows what was tried: by this process with its own clock, by others from their notes."""

    def __init__(
        self,
        notebook: Notebook,
        *,
        repair: Callable[[str], Repaired],
        clock: Clock,
        holds_turn: Callable[[], bool],
    ) -> None:
        self._notebook = notebook
        self._repair = repair
        self._clock = clock
        self._holds_turn = holds_turn
        self._ticks: dict[str, float] = {}
        self._paged: dict[str, float] = {}
        self.fixed = 0

    def fix_by_policy(self, issues: Iterable[Issue], policy: Policy, find_wrong: FindWrong) -> Told:
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
                self._fix(issue, MONITOR, find_wrong, told)
            elif decision.needs_person:
                self._page(issue.key, _ask_for_person(issue, decision), told)
        return told

    def fix_as_asked(self, issue: Issue | None, actor: str, find_wrong: FindWrong) -> Told:
        """A person has decided: the policy is not asked, only whether it can be done without a loss."""
        told = Told()
        refusal = "there is no such issue" if issue is None else refuse_fix(issue)
        if refusal or issue is None:
            self._notebook.write(events=(make_event("fix-failed", actor, issue=issue, detail=refusal or ""),))
        else:
            self._fix(issue, actor, find_wrong, told)
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

    def _fix(self, issue: Issue, actor: str, find_wrong: FindWrong, told: Told) -> None:
        now = self._clock.now()
        begun = make_event("fixing", actor, issue=issue, at=now.wall)
        if not (self._holds_turn() and self._notebook.announce(begun)):
            return  # another one may be at it; and nothing is done that cannot be told
        self._ticks[begun.id] = now.monotonic
        log.info("monitor_fix_began", issue=issue.key, subject=issue.subject, actor=actor)
        repaired = self._repair(issue.key)
        problem = repaired.problem or find_wrong(issue)
        ended = make_event(
            "fix-failed" if problem else "fixed",
            actor,
            issue=issue,
            at=self._clock.now().wall,
            attempt=begun.id,
            run=repaired.run,
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

    def _note_dry(self, issue: Issue, told: Told) -> None:
        now = self._clock.now()
        event = make_event("would-fix", MONITOR, issue=issue, at=now.wall, detail="; ".join(issue.sql))
        self._ticks[event.id] = now.monotonic
        self._notebook.write(events=(event,))
        told.acts.append(f"would fix (dry-run): {issue.subject}: {'; '.join(issue.sql)}")

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


def _ask_for_person(issue: Issue, decision: Decision) -> str:
    return f"{issue.subject}: {issue.current_state}: not fixed: {decision.reason}; a person has to look"
