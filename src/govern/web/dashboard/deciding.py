"""Before something is fixed or taken back: what it would do, and that the person has read it.

What they saw is compared with what it would do when they have decided: where that has changed, they are asked again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import astuple
from typing import TYPE_CHECKING

from govern.core.issue import Issue
from govern.core.monitoring import Event
from govern.core.wording import first_line
from govern.errors import GovernError
from govern.log import Log
from govern.monitor.preview import FixPreview, preview_fix, preview_rollback
from govern.web.dashboard.acting import call_of, follow_request
from govern.web.dashboard.history import find_among
from govern.web.dashboard.visit import Visit
from govern.web.monitor.request import Reply, say

if TYPE_CHECKING:
    from govern.web.dashboard.dashboard import Dashboard

log = Log(__name__)

SEEN_FIELD, TYPED_FIELD = "seen", "typed"
_NO_ISSUE = "there is no such issue, or it is gone for long"
_NO_EVENT = "there is no such event"


def ask_fix(dashboard: Dashboard, visit: Visit) -> Reply:
    """What fixing the issue would do."""
    issue = _find_issue(dashboard, visit)
    return _ask_fix(dashboard, visit, issue) if issue else dashboard.refuse(visit, say(404, _NO_ISSUE))


def fix(dashboard: Dashboard, visit: Visit) -> Reply:
    """Has the issue fixed by the monitor, as it was shown."""
    issue = _find_issue(dashboard, visit)
    if issue is None:
        return dashboard.refuse(visit, say(404, _NO_ISSUE))
    preview = _plan(dashboard, lambda: preview_fix(dashboard.api.settings, issue))
    if wrong := find_wrong(preview, visit):
        return _ask_fix(dashboard, visit, issue, preview=preview, wrong=wrong)
    return follow_request(dashboard, visit, dashboard.api.fix(call_of(visit)))


def ask_rollback(dashboard: Dashboard, visit: Visit) -> Reply:
    """What taking a fix back would do."""
    event = _find_event(dashboard, visit)
    return _ask_rollback(dashboard, visit, event) if event else dashboard.refuse(visit, say(404, _NO_EVENT))


def roll_back(dashboard: Dashboard, visit: Visit) -> Reply:
    """Has a fix taken back by the monitor, as it was shown."""
    event = _find_event(dashboard, visit)
    if event is None:
        return dashboard.refuse(visit, say(404, _NO_EVENT))
    preview = _plan(dashboard, lambda: preview_rollback(dashboard.api.settings, event))
    if wrong := find_wrong(preview, visit):
        return _ask_rollback(dashboard, visit, event, preview=preview, wrong=wrong)
    return follow_request(dashboard, visit, dashboard.api.roll_back(call_of(visit)))


def find_wrong(preview: FixPreview, visit: Visit) -> str:
    """Why what was sent is no decision about this preview; empty where it is one."""
    form = visit.request.form
    if preview.refusal:
        return "It cannot be done as things stand."
    if form.get(SEEN_FIELD) != seal(preview):
        return "It would do something else by now than what you have seen: look again."
    if form.get(TYPED_FIELD, "").strip() != preview.confirmation:
        return f"Type {preview.confirmation} to say that you mean it."
    return ""


def seal(preview: FixPreview) -> str:
    """Names what somebody has seen."""
    return hashlib.sha256(repr(astuple(preview)).encode()).hexdigest()


def _find_issue(dashboard: Dashboard, visit: Visit) -> Issue | None:
    return dashboard.api.seen().standing.notes.issues.get(visit.values["key"])


def _find_event(dashboard: Dashboard, visit: Visit) -> Event | None:
    return find_among(dashboard, visit.values["id"])[0]


def _ask_fix(
    dashboard: Dashboard, visit: Visit, issue: Issue, *, preview: FixPreview | None = None, wrong: str = ""
) -> Reply:
    return _ask(
        dashboard,
        visit,
        preview or _plan(dashboard, lambda: preview_fix(dashboard.api.settings, issue)),
        wrong,
        verb="Fix",
        subject=issue.subject,
        back=f"/issues/{issue.key}",
        command=f"govern repair apply {issue.repair}" if issue.repair else "govern repair apply",
    )


def _ask_rollback(
    dashboard: Dashboard, visit: Visit, event: Event, *, preview: FixPreview | None = None, wrong: str = ""
) -> Reply:
    return _ask(
        dashboard,
        visit,
        preview or _plan(dashboard, lambda: preview_rollback(dashboard.api.settings, event)),
        wrong,
        verb="Roll back",
        subject=event.subject or event.run or "",
        back=f"/history/{event.id}",
        command=f"govern repair rollback {event.run}" if event.run else "govern repair list",
    )


def _ask(dashboard: Dashboard, visit: Visit, preview: FixPreview, wrong: str, **facts: str) -> Reply:
    standing = dashboard.api.seen().standing
    return dashboard.show(
        visit,
        "decision.html",
        status=422 if wrong else 200,
        preview=preview,
        seen=seal(preview),
        wrong=wrong,
        standing=standing,
        **facts,
    )


def _plan(dashboard: Dashboard, plan: Callable[[], FixPreview]) -> FixPreview:
    """Two at the same time, so that nobody keeps a database busy with planning."""
    if not dashboard.planners.acquire(blocking=False):
        return FixPreview(refusal="others are planning at this moment; try again")
    try:
        return plan()
    except GovernError as error:
        log.warning("page_could_not_plan", error=first_line(error))
        return FixPreview(refusal=f"it could not be planned: {error.what}")
    finally:
        dashboard.planners.release()
