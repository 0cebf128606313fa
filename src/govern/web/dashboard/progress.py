"""How far what somebody asked for has come, told from the events after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Literal

from govern.core.monitoring import Event, EventKind, Request

ProgressState = Literal["waiting", "working", "done", "failed", "lost"]
"""``lost``: nobody waits for it any more, and nothing tells how it ended."""

_UNSEEN = timedelta(seconds=3)
"""So long a request may not be seen yet by whoever shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Of one request."""

    state: ProgressState
    begun: Event | None = None
    ended: Event | None = None

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed", "lost")


@dataclass(frozen=True, slots=True)
class _Course:
    begins: EventKind
    succeeds: EventKind
    fails: EventKind

    @property
    def ends(self) -> tuple[EventKind, ...]:
        return self.succeeds, self.fails


_COURSES: Mapping[EventKind, _Course] = {
    "fix": _Course("fixing", "fixed", "fix-failed"),
    "rollback": _Course("rolling-back", "rolled-back", "rollback-failed"),
}
_ENDS: Mapping[EventKind, ProgressState] = {
    "fixed": "done",
    "rolled-back": "done",
    "fix-failed": "failed",
    "rollback-failed": "failed",
}


def follow(
    asked: Event, events: tuple[Event, ...], requests: Iterable[Request], now: datetime
) -> Progress | None:
    """How far it has come; None of what is no request. ``events``: the newest first."""
    is_waiting = any(request.id == asked.id for request in requests) or now - asked.at < _UNSEEN
    if asked.kind == "check":
        return Progress(state="waiting") if is_waiting else Progress(state="done")
    course = _COURSES.get(asked.kind)
    if course is None:
        return None
    after = list(_list_after(asked, events))
    begun = next((event for event in after if event.kind == course.begins), None)
    ended = _find_end(after, course, begun)
    if ended is not None:
        return Progress(state=_ENDS[ended.kind], begun=begun, ended=ended)
    if begun is not None:
        return Progress(state="working", begun=begun)
    return Progress(state="waiting" if is_waiting else "lost")


def _list_after(asked: Event, events: tuple[Event, ...]) -> Iterator[Event]:
    """What was written down later about the same, for the same person; not by clocks: machines have different ones."""
    later = tuple(takewhile(lambda event: event.id != asked.id, events))
    for event in reversed(later):
        is_about_it = event.run == asked.run if asked.kind == "rollback" else event.issue == asked.issue
        if is_about_it and event.actor == asked.actor:
            yield event


def _find_end(after: list[Event], course: _Course, begun: Event | None) -> Event | None:
    """The end of what was begun; or of what was refused before it began."""
    if begun is None:
        return next((event for event in after if event.kind == course.fails and event.attempt is None), None)
    later = after[after.index(begun) :]
    return next((event for event in later if event.kind in course.ends), None)


def find_event(events: Iterable[Event], event_id: str) -> Event | None:
    return next((event for event in events if event.id == event_id), None)


def is_taken_back(event: Event, events: Iterable[Event]) -> bool:
    """Whether the run of this event was rolled back since."""
    return event.run is not None and any(one.kind == "rolled-back" and event.run == one.run for one in events)
