"""The first page: how things stand, what is wrong, what the monitor does, and what was done lately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govern.core.issue import Issue
from govern.monitor.standing import describe_issue
from govern.web.dashboard.backups import find_newest, read_backups
from govern.web.dashboard.record import Record, name_state, read_record
from govern.web.dashboard.visit import Visit
from govern.web.monitor.request import Reply

if TYPE_CHECKING:
    from govern.web.dashboard.dashboard import Dashboard

TIERS = ("critical", "medium", "low")
_EVENTS = 8


def show_overview(dashboard: Dashboard, visit: Visit) -> Reply:
    """Comes also while the database is away."""
    record = read_record(dashboard.api)
    is_insider = visit.visitor.is_insider
    return dashboard.show(
        visit,
        "overview.html",
        state=name_state(record, dashboard.now()),
        record=record,
        standing=record.standing,
        last=record.status,
        tiers=[(tier, _describe(record, tier, is_insider=is_insider)) for tier in TIERS],
        is_asked=any(request.kind == "check" for request in record.requests),
        backup=find_newest(read_backups(dashboard), dashboard.api.settings) if is_insider else None,
        events=record.events[:_EVENTS] if is_insider else (),
    )


def _describe(record: Record, tier: str, *, is_insider: bool) -> list[dict[str, Any]]:
    return [describe(issue, is_insider=is_insider) for issue in record.issues if issue.tier == tier]


def describe(issue: Issue, *, is_insider: bool) -> dict[str, Any]:
    """As the API tells it, with moments instead of their texts."""
    document = describe_issue(issue, with_evidence=is_insider)
    return document | {"first_seen": issue.first_seen, "last_seen": issue.last_seen}
