"""What the page knows of the monitor: from the database, or, while that is away, from the file beside the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from govern.actions.notebook import Notes
from govern.core.issue import Issue
from govern.core.monitoring import Event, MonitorStatus, Request
from govern.errors import GovernError
from govern.monitor.standing import MonitorStanding
from govern.web.look import Hanging
from govern.web.monitor.api import MonitorApi

State = Literal[
    "away",
    "never",
    "first",
    "breaker",
    "absent",
    "stopped",
    "overdue",
    "critical",
    "degraded",
    "healthy",
    "unknown",
]
"""How things stand, in one word: what keeps the monitor from looking comes before what it saw."""
_PATIENCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was written down."""

    standing: MonitorStanding
    events: tuple[Event, ...] = ()
    """The newest first."""
    is_away: bool = False
    """Whether the database does not answer; then this is what is remembered."""
    remembered_at: datetime | None = None

    @property
    def status(self) -> MonitorStatus | None:
        return self.standing.notes.status

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Those that are open, the gravest first."""
        return self.standing.notes.open_issues

    @property
    def requests(self) -> tuple[Request, ...]:
        return self.standing.notes.requests

    @property
    def was_looked_at(self) -> bool:
        """Whether the last pass, or the one that is remembered, compared schemas to the end."""
        checks = self.status.checks if self.status else ()
        return any(check.name == "drift" and check.status in ("passed", "found") for check in checks)


def read_record(api: MonitorApi) -> Record:
    """Waits for two seconds at most. Raises nothing that a database could be the cause of."""
    try:
        seen = api.seen()
    except (GovernError, Hanging):
        return _remember(api)
    return Record(standing=seen.standing, events=seen.events)


def name_state(record: Record, now: datetime) -> State:
    """The one word."""
    status, standing = record.status, record.standing
    if record.is_away:
        return "away"
    if status is None:
        return "first" if standing.status == "running" else "stopped" if standing.is_alive else "never"
    if status.is_broken:
        return "breaker"
    if standing.status != "running":
        return "stopped" if standing.status == "stopped" else "absent"
    if status.next_check is not None and now - status.next_check > _PATIENCE:
        return "overdue"
    return status.health


def _remember(api: MonitorApi) -> Record:
    document = api.notebook.read_file() or {}
    try:
        notes, written_at = _read_notes(document), _read_moment(document.get("written_at"))
    except (KeyError, TypeError, ValueError, AttributeError):  # of another version
        notes, written_at = Notes(), None
    return Record(
        standing=MonitorStanding(notes=notes, is_alive=False), is_away=True, remembered_at=written_at
    )


def _read_notes(document: Mapping[str, Any]) -> Notes:
    issues = [Issue.from_json(value) for value in document.get("issues", ())]
    return Notes(
        status=MonitorStatus.from_json(document["status"]) if "status" in document else None,
        issues={issue.key: issue for issue in issues},
    )


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
