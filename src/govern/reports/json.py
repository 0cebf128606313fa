"""A report as one JSON document: the contract scripts and CI read. Keys are added, never renamed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from govern.core.finding import Finding, Fix, Severity, Subject
from govern.core.report import Entry, Problem, Report, Target
from govern.version import __version__

SCHEMA_VERSION = 1


def render(report: Report) -> str:
    """The report as indented JSON with a newline at its end; pure ASCII, so that no terminal can spoil it."""
    return json.dumps(to_document(report), indent=2, allow_nan=False) + "\n"


def to_document(report: Report) -> dict[str, Any]:
    """The report as JSON values. What a command lists (``report.data``) stands beside the fixed keys."""
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "govern", "version": __version__},
        "command": report.command,
        "status": report.status,
        "target": _target(report.target),
        "started_at": to_timestamp(report.started_at),
        "duration_ms": report.duration_ms,
        "entries": [_entry(entry) for entry in report.entries],
        "unmodelled": list(report.unmodelled),
        "summary": {severity.label: report.count(severity) for severity in reversed(Severity)},
        "problem": _problem(report.problem),
    }
    return {**{name: to_json(value) for name, value in report.data.items()}, **document}


def to_timestamp(moment: datetime) -> str:
    """``2026-01-31T12:00:00.000Z``; a moment without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_json(value: object) -> Any:
    """Any value as one JSON can hold: paths, sets and numbers JSON lacks become text and lists."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping():
            return {str(key): to_json(item) for key, item in value.items()}
        case datetime():
            return to_timestamp(value)
        case list() | tuple():
            return [to_json(item) for item in value]
        case set() | frozenset():
            return sorted(str(item) for item in value)
        case _:
            return str(value)


KEYS = frozenset(
    {
        "schema_version", "tool", "command", "status", "target", "started_at", "duration_ms", "entries", "unmodelled",
        "summary", "problem",
    }
)  # fmt: skip
"""The fixed keys of a document; what else there is the command was asked to list."""


def _target(target: Target | None) -> dict[str, Any] | None:
    return None if target is None else to_json(asdict(target))


def _problem(problem: Problem | None) -> dict[str, Any] | None:
    return None if problem is None else asdict(problem)


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "status": entry.status,
        "reason": entry.reason,
        "findings": [_finding(finding) for finding in entry.findings],
        **({"optional": True} if entry.is_optional else {}),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "key": finding.key,
        "rule": finding.rule.id,
        "severity": finding.severity.label,
        "subject": _subject(finding.subject),
        "message": finding.message,
        "why": finding.why,
        "remedy": finding.remedy,
        "evidence": to_json(finding.evidence),
        "fix": _fix(finding.fix),
    }


def _subject(subject: Subject) -> dict[str, Any]:
    return {
        "kind": subject.kind,
        "namespace": subject.namespace,
        "name": subject.name,
        "path": subject.path,
        "line": subject.line,
    }


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    """The repair that does it is named where there is one."""
    if fix is None:
        return None
    return {name: value for name, value in to_json(asdict(fix)).items() if value is not None}
