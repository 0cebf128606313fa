"""How the monitor of a database stands, for whoever asks from another process. Only reads, but for what people want."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from govern.actions.notebook import Notebook, Notes
from govern.core.issue import Issue
from govern.core.monitoring import Event, Request
from govern.database.monitoring import is_turn_taken
from govern.database.url import DatabaseUrl
from govern.reports.health import describe_probed
from govern.reports.json import to_timestamp

_HOME = "public."


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorStanding:
    """What is written down, and whether somebody is there to go on."""

    notes: Notes
    is_alive: bool
    """Whether an instance is active, if only to wait until it is started again."""

    @property
    def status(self) -> str:
        """``running``, ``stopped`` by a person, or ``absent``: no process is there."""
        if not self.is_alive:
            return "absent"
        return self.notes.wanted.state


def read_standing(notebook: Notebook, url: DatabaseUrl) -> MonitorStanding:
    """Raises CouldNotCheck where the database cannot be read."""
    return MonitorStanding(notes=notebook.read(), is_alive=is_turn_taken(url))


def describe_standing(standing: MonitorStanding) -> dict[str, Any]:
    """``GET /api/database-health/status``."""
    status, wanted = standing.notes.status, standing.notes.wanted
    known = status.to_json() if status else {}
    critical = [issue for issue in standing.notes.open_issues if issue.tier == "critical"]
    last, following = (status.last_check, status.next_check) if status else (None, None)
    return {
        "status": standing.status,
        "last_check": to_timestamp(last) if last else None,
        "total_fixes": status.total_fixes if status else 0,
        "active_critical_issues": len(critical),
        "next_check": to_timestamp(following) if following and standing.status == "running" else None,
        "health": known.get("health", "unknown"),
        "trouble": known.get("trouble", ""),
        "breaker_open": known.get("breaker_open", False),
        "instance": known.get("instance") if standing.is_alive else None,
        "wanted": {
            "state": wanted.state,
            "by": wanted.by,
            "at": to_timestamp(wanted.at) if wanted.at else None,
        },
        "checks": known.get("checks", []),
        **({} if standing.notes.probed is None else {"application": describe_probed(standing.notes.probed)}),
    }


def describe_issues(notes: Notes, *, with_evidence: bool) -> dict[str, Any]:
    """``GET /api/database-health/issues``. ``with_evidence``: also what may name keys of rows, and statements."""
    issues = [(issue, describe_issue(issue, with_evidence=with_evidence)) for issue in notes.open_issues]
    return {
        "critical_issues": [document for issue, document in issues if issue.tier == "critical"],
        "warnings": [document for issue, document in issues if issue.tier != "critical"],
    }


def describe_issue(issue: Issue, *, with_evidence: bool) -> dict[str, Any]:
    """One of them; its table as the manifest names it."""
    document = issue.to_json()
    if issue.table:
        document["table"] = issue.table.removeprefix(_HOME)
    for name in ("first_seen", "last_seen"):
        document[name] = to_timestamp(getattr(issue, name))
    hidden = () if with_evidence else ("message", "remedy", "sql", "evidence")
    return {name: value for name, value in document.items() if name not in hidden}


def describe_request(request: Request) -> dict[str, Any]:
    """What a person has asked for, and waits for the active monitor."""
    return {**request.to_json(), "at": to_timestamp(request.at)}


def describe_event(event: Event) -> Mapping[str, Any]:
    """One line of ``GET /api/database-health/history``."""
    return {**event.to_json(), "at": to_timestamp(event.at)}
