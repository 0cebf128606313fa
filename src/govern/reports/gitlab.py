"""A report as GitLab's code quality report: a list of places in files (docs.gitlab.com/ci/testing/code_quality).

What could not be checked stands in the list, too, as a blocker: GitLab shows nothing else of the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from govern.core.finding import Severity
from govern.core.report import Report
from govern.reports.identity import identify
from govern.reports.places import Place, Places
from govern.reports.style import make_harmless
from govern.reports.summary import describe_finding, describe_problem

_SEVERITIES = {
    Severity.CRITICAL: "critical",
    Severity.ERROR: "major",
    Severity.WARNING: "minor",
    Severity.INFO: "info",
}


def render(report: Report, places: Places) -> str:
    """The report as one list in ASCII with a newline at its end."""
    return json.dumps(list(_items(report, places)), indent=2) + "\n"


def _items(report: Report, places: Places) -> Iterator[dict[str, Any]]:
    command = f"govern {report.command}".rstrip()
    if (problem := report.problem) is not None:
        told = f"{command}: {'; '.join(describe_problem(problem))}"
        yield _undecided("problem", told, "blocker", places, command)
    for entry in report.entries:
        told = f"{command}: {entry.name} could not be checked: {entry.reason}"
        if entry.status == "crashed":
            yield _undecided("crashed", told, "blocker", places, f"{command} {entry.name}")
        elif entry.is_undecided:
            yield _undecided("skipped", told, "major", places, f"{command} {entry.name}")
    for name, finding in identify(report.findings):
        yield _item(
            description="; ".join(describe_finding(finding)),
            check=finding.rule.id,
            fingerprint=_hash(name),
            severity=_SEVERITIES[finding.severity],
            place=places.find(finding),
        )


def _undecided(check: str, told: str, severity: str, places: Places, name: str) -> dict[str, Any]:
    return _item(
        description=told,
        check=f"govern.{check}",
        fingerprint=_hash(f"{check} {name}"),
        severity=severity,
        place=places.root,
    )


def _item(*, description: str, check: str, fingerprint: str, severity: str, place: Place) -> dict[str, Any]:
    return {
        "description": make_harmless(description),
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": make_harmless(place.path), "lines": {"begin": place.line}},
    }


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
