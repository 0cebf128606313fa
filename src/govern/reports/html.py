"""A report as a page that is one file: what it comes to, what was looked at, what was found, statements to copy."""

from __future__ import annotations

from typing import Any

from govern.core.finding import Severity
from govern.core.report import Entry, Report
from govern.reports.grouping import group_findings, say_message, say_place
from govern.reports.listings import render_listings, select_unsaid
from govern.reports.page import render_page
from govern.reports.style import Style
from govern.reports.summary import count_findings, describe_entry, describe_target, find_gravest, summarise
from govern.reports.text import terminate

_TONES = {
    Severity.CRITICAL: "bad",
    Severity.ERROR: "bad",
    Severity.WARNING: "notice",
    Severity.INFO: "quiet",
}
_STATUS_TONES = {"clean": "good", "undecided": "notice", "passed": "good", "skipped": "notice"}


def render(report: Report) -> str:
    """The page with a newline at its end."""
    return render_page("report.html", _facts(report))


def _facts(report: Report) -> dict[str, Any]:
    return {
        "report": report,
        "tone": _tone_of(report),
        "target": " · ".join(describe_target(report.target)) if report.target else "",
        "summary": " · ".join(summarise(report)),
        "undone": [_tell(entry) for entry in report.entries if entry.status != "passed"],
        "passed": [_tell(entry) for entry in report.entries if entry.status == "passed"],
        "counts": [
            (severity.label, count_findings(count, severity.label))
            for severity in reversed(Severity)
            if (count := report.count(severity))
        ],
        "groups": tuple(group_findings(report.findings)),
        "changes": _list(report, only_review=True),
        "listed": _list(report, only_review=False),
        "tones": _TONES,
        "say_message": say_message,
        "say_place": say_place,
        "statements": lambda fix: "\n".join(terminate(one) for one in fix.sql),
    }


def _list(report: Report, *, only_review: bool) -> str:
    """What becomes of the schema by a pull request is read first, all else at the end."""
    unsaid = select_unsaid(report)
    wanted = {name: value for name, value in unsaid.items() if (name == "pull_request") is only_review}
    return "\n".join(render_listings(wanted, Style()))


def _tell(entry: Entry) -> tuple[Entry, str, str]:
    return entry, _tone_of(entry), describe_entry(entry)


def _tone_of(ended: Report | Entry) -> str:
    gravest = find_gravest(ended.findings)
    if ended.status == "found" and gravest is not None:
        return _TONES[gravest]
    return _STATUS_TONES.get(ended.status, "bad")
