"""What is declared beside what is there, for every object that differs, and what brings it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from govern.core.issue import Issue
from govern.core.monitoring import CheckStatus
from govern.web.dashboard.comparison import ComparedFact, compare_sides
from govern.web.dashboard.record import Record, read_record
from govern.web.dashboard.visit import Visit
from govern.web.monitor.request import Reply

if TYPE_CHECKING:
    from govern.web.dashboard.dashboard import Dashboard

_A_PAGE = 50
"""Objects."""
Action = Literal["added", "removed", "changed", "other"]
WORDS = {
    "added": "is there, and not declared",
    "removed": "is declared, and not there",
    "changed": "is otherwise than declared",
    "other": "differs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One object of the two schemas."""

    issue: Issue
    action: Action
    facts: tuple[ComparedFact, ...]


def show_drift(dashboard: Dashboard, visit: Visit) -> Reply:
    """What the monitor saw when it last compared the schemas, the gravest first, so many on a page."""
    if not visit.visitor.is_insider:
        return dashboard.show(visit, "closed.html", name="The drift")
    record = read_record(dashboard.api)
    issues = [issue for issue in record.issues if issue.rule.startswith("drift.")]
    first = _read_start(visit, len(issues))
    return dashboard.show(
        visit,
        "drift.html",
        record=record,
        check=_find_check(record),
        count=len(issues),
        is_grave=any(issue.tier == "critical" for issue in issues),
        first=first,
        size=_A_PAGE,
        differences=[_describe(issue) for issue in issues[first : first + _A_PAGE]],
        words=WORDS,
    )


def _read_start(visit: Visit, count: int) -> int:
    """The number of the first object that is shown, from 0."""
    asked = visit.request.parameters.get("from", "")
    start = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 8 else 0
    return start if start < count else 0


def _find_check(record: Record) -> CheckStatus | None:
    """How the last comparison ended; None where there was none."""
    checks = record.status.checks if record.status else ()
    return next((check for check in checks if check.name == "drift"), None)


def _describe(issue: Issue) -> Difference:
    ending = issue.rule.rpartition("-")[2]
    actions: dict[str, Action] = {"added": "added", "removed": "removed", "changed": "changed"}
    return Difference(issue=issue, action=actions.get(ending, "other"), facts=compare_sides(issue.evidence))
