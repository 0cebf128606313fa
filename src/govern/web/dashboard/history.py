"""What was asked for and done: all events, page by page, and each of them by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from govern.core.monitoring import Event, EventKind, refuse_rollback
from govern.web.dashboard.progress import find_event, follow, is_taken_back
from govern.web.dashboard.visit import Visit
from govern.web.monitor.request import Reply, say

if TYPE_CHECKING:
    from govern.web.dashboard.dashboard import Dashboard

PAGE = 50
KINDS: Mapping[str, tuple[EventKind, ...]] = {
    "fixes": ("fix", "fixing", "fixed", "fix-failed", "would-fix"),
    "rollbacks": ("rollback", "rolling-back", "rolled-back", "rollback-failed"),
    "orders": ("start", "stop", "check"),
    "calls": ("paged", "notification-failed"),
}
"""What one can choose to see, and the events it is."""


def show_history(dashboard: Dashboard, visit: Visit) -> Reply:
    """The newest first; ``before``: the id of the event that the page begins after; ``kind``: one of ``KINDS``."""
    asked = visit.request.parameters
    chosen, before = asked.get("kind", "") if asked.get("kind") in KINDS else "", asked.get("before", "")
    events = dashboard.read_events() if chosen or before else dashboard.api.seen().events
    listed = [event for event in events if not chosen or event.kind in KINDS[chosen]]
    begin = _find_begin(listed, before)
    page = listed[begin : begin + PAGE]
    return dashboard.show(
        visit,
        "history.html",
        events=page,
        kinds=tuple(KINDS),
        chosen=chosen,
        is_first=begin == 0,
        older=page[-1].id if page and begin + PAGE < len(listed) else "",
    )


def show_event(dashboard: Dashboard, visit: Visit) -> Reply:
    """One event; of a request also how far it has come."""
    event, events = find_among(dashboard, visit.values["id"])
    if event is None:
        return dashboard.refuse(visit, say(404, "there is no such event"))
    standing = dashboard.api.seen().standing
    return dashboard.show(
        visit,
        "event.html",
        event=event,
        about=standing.notes.issues.get(event.issue or ""),
        standing=standing,
        progress=follow(event, events, standing.notes.requests, dashboard.now()),
        is_taken_back=is_taken_back(event, events),
        can_roll_back=refuse_rollback(event, events) is None,
        related=[one for one in events if _is_related(one, event)],
    )


def find_among(dashboard: Dashboard, event_id: str) -> tuple[Event | None, tuple[Event, ...]]:
    """The event, if there is one, and those of its time: the latest, or for an older one all that are kept."""
    latest = dashboard.api.seen().events
    if event := find_event(latest, event_id):
        return event, latest
    events = dashboard.read_events()
    return find_event(events, event_id), events


def _find_begin(events: list[Event], before: str) -> int:
    """The first for an id that is not there: nobody gets an empty page for an event that was forgotten."""
    return next((number for number, event in enumerate(events, 1) if event.id == before), 0)


def _is_related(one: Event, event: Event) -> bool:
    """Of the same attempt or the same run."""
    if one.id == event.id:
        return False
    of_attempt = {one.id, one.attempt} & {event.id, event.attempt} - {None}
    return bool(of_attempt) or (one.run is not None and one.run == event.run)
