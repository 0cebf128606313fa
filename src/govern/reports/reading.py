"""Reads a report back out of its JSON document, to bring it into another form without doing the work again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govern.core.finding import Finding, Fix, Rule, Severity, Subject
from govern.core.report import Entry, Problem, Report, Target
from govern.errors import ConfigurationError
from govern.reports.json import KEYS, SCHEMA_VERSION

_NEXT = "write it anew: any command with --format json --output FILE"


def read_report(file: Path, rules: Mapping[str, Rule]) -> Report:
    """The report as it was written; ``rules`` are those that are known here, by their ids.

    Raises ConfigurationError for what is no such document.
    """
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = str(error) or type(error).__name__
        raise ConfigurationError(f"{file} cannot be read", why=why, next=_NEXT) from error
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise ConfigurationError(
            f"{file} is no report of govern", why=f"schema_version is not {SCHEMA_VERSION}", next=_NEXT
        )
    try:
        return to_report(document, rules)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            f"{file} is not a whole report", why=f"{type(error).__name__}: {error}", next=_NEXT
        ) from error


def to_report(document: Mapping[str, Any], rules: Mapping[str, Rule]) -> Report:
    """The same of a document that was read already. Raises KeyError, TypeError or ValueError for another one."""
    return Report(
        command=document["command"],
        started_at=_moment(document["started_at"]),
        duration_ms=document["duration_ms"],
        entries=tuple(_entry(entry, rules) for entry in document["entries"]),
        target=_target(document["target"]),
        problem=None if document["problem"] is None else Problem(**document["problem"]),
        unmodelled=tuple(document["unmodelled"]),
        data={name: value for name, value in document.items() if name not in KEYS},
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _target(target: Mapping[str, Any] | None) -> Target | None:
    if target is None:
        return None
    revision = target["revision"]
    return Target(
        name=target["name"],
        url=target["url"],
        dialect=target["dialect"],
        server_version=target["server_version"],
        revision=None if revision is None else tuple(revision),
        heads=tuple(target["heads"]),
    )


def _entry(entry: Mapping[str, Any], rules: Mapping[str, Rule]) -> Entry:
    return Entry(
        name=entry["name"],
        status=entry["status"],
        reason=entry["reason"],
        findings=tuple(_finding(finding, rules) for finding in entry["findings"]),
        is_optional=entry.get("optional", False),
    )


def _finding(finding: Mapping[str, Any], rules: Mapping[str, Rule]) -> Finding:
    severity = Severity.parse(finding["severity"])
    return Finding(
        rule=rules.get(finding["rule"]) or _unknown_rule(finding, severity),
        subject=Subject(**finding["subject"]),
        severity=severity,
        message=finding["message"],
        why=finding["why"],
        remedy=finding["remedy"],
        evidence=finding["evidence"],
        fix=_fix(finding["fix"]),
    )


def _unknown_rule(finding: Mapping[str, Any], severity: Severity) -> Rule:
    """Of another release: what the finding says of itself."""
    id_ = finding["rule"]
    return Rule(
        id=id_,
        name=id_.partition(".")[2].replace("-", " ") or id_,
        severity=severity,
        condition=finding["message"],
        effect=finding["why"],
        remedy=finding["remedy"],
    )


def _fix(fix: Mapping[str, Any] | None) -> Fix | None:
    return None if fix is None else Fix(**{**fix, "sql": tuple(fix["sql"])})
