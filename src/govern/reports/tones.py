"""Good or bad: one tone for each severity and each way to end, whatever the form that shows it."""

from __future__ import annotations

from collections.abc import Mapping

from govern.core.document import Tone
from govern.core.finding import Severity
from govern.core.report import Entry, Report
from govern.reports.summary import find_gravest

SEVERITY_TONES: Mapping[Severity, Tone] = {
    Severity.CRITICAL: "bad",
    Severity.ERROR: "bad",
    Severity.WARNING: "notice",
    Severity.INFO: "quiet",
}
STATUS_TONES: Mapping[str, Tone] = {
    "clean": "good",
    "passed": "good",
    "found": "bad",
    "refused": "bad",
    "failed": "bad",
    "crashed": "bad",
    "undecided": "notice",
    "skipped": "notice",
}
"""Of reports and entries."""


def find_tone(ended: Report | Entry, fail_on: Severity = Severity.ERROR) -> Tone:
    """What has found nothing that fails the command does not look like what has."""
    gravest = find_gravest(ended.findings)
    if ended.status != "found" or gravest is None:
        return STATUS_TONES[ended.status]
    if gravest >= fail_on:
        return "bad"
    return "quiet" if gravest is Severity.INFO else "notice"
