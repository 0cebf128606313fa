"""A report as a page that is one file: what it comes to, what was looked at, what was found, statements to copy."""

from __future__ import annotations

import base64
from typing import Any

from govern.core.finding import Severity
from govern.core.report import Entry, Report
from govern.reports.grouping import group_findings, say_message, say_place
from govern.reports.listings import render_listings, select_unsaid
from govern.reports.page import render_page
from govern.reports.review import read_review, say_end
from govern.reports.statements import write_script
from govern.reports.style import Style
from govern.reports.summary import count_findings, describe_entry, describe_target, say_headline, summarise
from govern.reports.tones import SEVERITY_TONES, find_tone


def render(report: Report, *, fail_on: Severity = Severity.ERROR) -> str:
    """The page with a newline at its end."""
    return render_page("report.html", _facts(report, fail_on))


def _facts(report: Report, fail_on: Severity) -> dict[str, Any]:
    return {
        "report": report,
        "headline": say_headline(report),
        "tone": find_tone(report, fail_on),
        "target": " · ".join(describe_target(report.target)) if report.target else "",
        "summary": " · ".join(summarise(report)),
        "undone": [_tell(entry, fail_on) for entry in report.entries if entry.status != "passed"],
        "passed": [_tell(entry, fail_on) for entry in report.entries if entry.status == "passed"],
        "counts": [
            (severity.label, count_findings(count, severity.label))
            for severity in reversed(Severity)
            if (count := report.count(severity))
        ],
        "groups": tuple(group_findings(report.findings)),
        "review": read_review(report),
        "embed": _embed,
        "picture": _embed(report.data["diagram"]) if report.data.get("notation") == "svg" else None,
        "picture_title": report.data.get("title", ""),
        "listed": "\n".join(render_listings(select_unsaid(report), Style())),
        "tones": SEVERITY_TONES,
        "say_message": say_message,
        "say_place": say_place,
        "say_end": say_end,
        "write_script": write_script,
    }


def _embed(svg: str) -> str:
    """As an image: what is in a report that was read from a file must not be a part of the page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _tell(entry: Entry, fail_on: Severity) -> tuple[Entry, str, str]:
    return entry, find_tone(entry, fail_on), describe_entry(entry)
