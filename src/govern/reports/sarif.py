"""A report as SARIF 2.1.0, which code scanning reads (docs.oasis-open.org/sarif/sarif/v2.1.0).

What could not be checked is a notification of the run, and never an empty list of results.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from govern.core.finding import Finding, Rule, Severity
from govern.core.report import EXIT_CLEAN, EXIT_FOUND, EXIT_USAGE, Entry, Problem, Report
from govern.core.wording import count_of
from govern.reports.identity import identify
from govern.reports.json import to_timestamp
from govern.reports.places import Place, Places
from govern.reports.style import make_harmless
from govern.reports.summary import describe_finding, describe_problem
from govern.version import __version__

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
_PROBLEM_SEVERITIES = {"error": "error", "warning": "warning", "note": "recommendation"}
_LARGEST_RESULTS = 5_000
"""GitHub keeps as many of a run (docs.github.com, "SARIF results exceed one or more limits")."""
_LARGEST_DESCRIPTION = 1_024
"""Characters of a rule's descriptions that GitHub takes."""
_ROOT = "%SRCROOT%"
_FINGERPRINT = "governFinding/v1"


def render(report: Report, places: Places, *, exit_code: int) -> str:
    """The report as one log with one run, in ASCII, with a newline at its end."""
    return json.dumps(to_log(report, places, exit_code=exit_code), indent=2, allow_nan=False) + "\n"


def to_log(report: Report, places: Places, *, exit_code: int) -> dict[str, Any]:
    """The log as JSON values."""
    gravest = sorted(report.findings, key=lambda finding: -finding.severity)
    kept = gravest[:_LARGEST_RESULTS]
    rules = {finding.rule.id: finding.rule for finding in kept}
    positions = {id_: position for position, id_ in enumerate(rules)}
    run = {
        "tool": {"driver": _driver(tuple(rules.values()))},
        "automationDetails": {"id": _name_analysis(report)},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, exit_code, left_out=len(gravest) - len(kept))],
        "results": [
            _result(finding, name, positions[finding.rule.id], places) for name, finding in identify(kept)
        ],
        "properties": {"status": report.status, **_target(report)},
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _driver(rules: Sequence[Rule]) -> dict[str, Any]:
    return {
        "name": "govern",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    level = _LEVELS[rule.severity]
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.id.replace(".", "-").split("-")),
        "shortDescription": {"text": _cut(rule.name)},
        "fullDescription": {"text": _cut(f"{_sentence(rule.condition)} {_sentence(rule.effect)}")},
        "help": {
            "text": f"{_sentence(rule.condition)} {_sentence(rule.effect)}\nWhat to do: {rule.remedy}",
            "markdown": f"{_sentence(rule.condition)} {_sentence(rule.effect)}\n\n"
            f"**What to do:** {rule.remedy}\n\nMore: `govern explain {rule.id}`",
        },
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": ["schema", rule.family],
            "problem.severity": _PROBLEM_SEVERITIES[level],
            "precision": "high",
        },
    }


def _result(finding: Finding, name: str, rule_index: int, places: Places) -> dict[str, Any]:
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain("\n".join(describe_finding(finding)))},
        "locations": [
            {
                "physicalLocation": _physical(places.find(finding)),
                "logicalLocations": [_logical(finding)],
            }
        ],
        "partialFingerprints": {_FINGERPRINT: name},
        "properties": {"severity": finding.severity.label, **_fix(finding)},
    }


def _physical(place: Place) -> dict[str, Any]:
    path = make_harmless(place.path)
    is_inside = not PurePosixPath(path).is_absolute()
    region = {"startLine": place.line} | ({"startColumn": place.column} if place.column else {})
    return {
        "artifactLocation": {"uri": quote(path), "uriBaseId": _ROOT}
        if is_inside
        else {"uri": f"file://{quote(path)}"},
        "region": region,
    }


def _logical(finding: Finding) -> dict[str, Any]:
    subject = finding.subject
    qualified = f"{subject.namespace}.{subject.name}" if subject.namespace else subject.name
    return {
        "name": make_harmless(subject.name.rpartition(".")[2] or subject.name),
        "fullyQualifiedName": make_harmless(qualified),
        "kind": make_harmless(subject.kind),
    }


def _fix(finding: Finding) -> Mapping[str, Any]:
    if finding.fix is None or not finding.fix.sql:
        return {}
    fix = finding.fix
    return {
        "sql": [make_harmless(one) for one in fix.sql],
        "proven": fix.proven,
        "losesData": fix.loses_data,
    }


def _invocation(report: Report, exit_code: int, *, left_out: int) -> dict[str, Any]:
    finished = report.started_at + timedelta(milliseconds=report.duration_ms)
    has_crashed = any(entry.status == "crashed" for entry in report.entries)
    problem = report.problem
    return {
        "executionSuccessful": exit_code in (EXIT_CLEAN, EXIT_FOUND) and not has_crashed,
        "exitCode": exit_code,
        "exitCodeDescription": report.status,
        "startTimeUtc": to_timestamp(report.started_at),
        "endTimeUtc": to_timestamp(finished),
        "toolConfigurationNotifications": [_tell_problem(problem)]
        if problem and problem.exit_code == EXIT_USAGE
        else [],
        "toolExecutionNotifications": list(_notifications(report, left_out)),
    }


def _notifications(report: Report, left_out: int) -> Iterator[dict[str, Any]]:
    if report.problem and report.problem.exit_code != EXIT_USAGE:
        yield _tell_problem(report.problem)
    for entry in report.entries:
        if entry.status in ("skipped", "crashed"):
            yield _notification(_level_of(entry), f"{entry.name} {entry.status}: {entry.reason}")
    if report.unmodelled:
        yield _notification("note", f"not covered: {', '.join(report.unmodelled)}")
    if left_out:
        told = f"{count_of(left_out, 'result')} left out, the least grave: a run has {_LARGEST_RESULTS:,} at most"
        yield _notification("warning", told)


def _level_of(entry: Entry) -> str:
    if entry.status == "crashed":
        return "error"
    return "warning" if entry.is_undecided else "note"


def _tell_problem(problem: Problem) -> dict[str, Any]:
    return _notification("error", "\n".join(describe_problem(problem)))


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": _plain(text)}}


def _target(report: Report) -> Mapping[str, Any]:
    return {} if report.target is None else {"target": report.target.name, "url": report.target.url}


def _name_analysis(report: Report) -> str:
    """One of several analyses of a commit, which do not replace each other: of a command and a database."""
    parts = ["govern", *report.command.split(), *([report.target.name] if report.target else [])]
    return "/".join(quote(part, safe="") for part in parts) + "/"


def _plain(text: str) -> str:
    """Of SARIF's messages a text in brackets before another one in round ones is a link (3.11.6): here none is."""
    return make_harmless(text).replace("](", "] (")


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _cut(text: str) -> str:
    return text if len(text) <= _LARGEST_DESCRIPTION else f"{text[: _LARGEST_DESCRIPTION - 1]}…"
