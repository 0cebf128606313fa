"""One issue: what is, what should be, why it matters, and what would be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.checks.registry import all_rules
from govern.core.fixing import refuse_fix
from govern.core.issue import Issue
from govern.monitor.standing import describe_issue
from govern.web.dashboard.evidence import read_evidence
from govern.web.dashboard.record import read_record
from govern.web.dashboard.visit import Visit
from govern.web.monitor.request import Reply, say

if TYPE_CHECKING:
    from govern.web.dashboard.dashboard import Dashboard

_EVENTS = 10


def show_issue(dashboard: Dashboard, visit: Visit) -> Reply:
    """Also one that is gone, for as long as it is remembered."""
    record = read_record(dashboard.api)
    issue = record.standing.notes.issues.get(visit.values["key"])
    if issue is None:
        return dashboard.refuse(visit, say(404, "there is no such issue, or it is gone for long"))
    is_insider = visit.visitor.is_insider
    return dashboard.show(
        visit,
        "issue.html",
        record=record,
        issue=describe_issue(issue, with_evidence=is_insider),
        found=issue,
        rule=all_rules().get(issue.rule),
        evidence=read_evidence(issue.evidence) if is_insider else None,
        remedy=_name_remedy(issue) if is_insider else "",
        refusal=refuse_fix(issue),
        command=name_command(issue),
        events=[event for event in record.events if event.issue == issue.key][:_EVENTS] if is_insider else [],
    )


def _name_remedy(issue: Issue) -> str:
    """Without the query that the evidence shows by itself; empty where nothing else is to be said."""
    query = issue.evidence.get("query")
    said = issue.remedy.replace(f"see them: {query}", "") if query else issue.remedy
    return said.strip(" ;")


def name_command(issue: Issue) -> str:
    """What shows in a terminal what would be done."""
    if issue.repair:
        return f"govern repair plan {issue.repair}"
    if issue.sql:
        return "govern repair plan"
    return f"govern explain {issue.rule}"
