"""Can the database be worked with? Weighs what was found; looks at nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from govern.checks.integrity import MIN_ROWS
from govern.checks.startup.rules import MIGRATING, UNHEALTHY, UNREACHABLE
from govern.core.finding import Finding, Severity, Subject
from govern.core.health import RowCount, Status
from govern.core.snapshot import join_name
from govern.core.wording import count_of

USABLE = "the database has the schema that this application was written for"
_QUOTING = frozenset({MIGRATING.id, UNHEALTHY.id, UNREACHABLE.id})
"""Rules whose messages quote a server or a run: addresses, roles, even rows may be in them."""
_TABLE_REMOVED = "drift.table-removed"


def weigh(findings: Iterable[Finding]) -> Status:
    """By the gravest finding: what would not keep an application from starting leaves a database healthy."""
    gravest = max((finding.severity for finding in findings), default=Severity.INFO)
    if gravest >= Severity.CRITICAL:
        return "critical"
    return "degraded" if gravest >= Severity.ERROR else "healthy"


def find_lacking(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Full names of the critical tables with fewer rows than they must have."""
    return tuple(finding.subject.name for finding in findings if finding.rule.id == MIN_ROWS.id)


def ask_for_backup(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What was found of backups, as grave as it is here: what nothing would bring back is not healthy."""
    return tuple(replace(finding, severity=max(finding.severity, Severity.ERROR)) for finding in findings)


def find_missing(
    findings: Iterable[Finding], critical: Iterable[str], counts: Mapping[str, RowCount]
) -> tuple[str, ...]:
    """Full names of the tables that should be there: critical ones without a count, and what a comparison missed."""
    removed = {
        join_name(*filter(None, (finding.subject.namespace, finding.subject.name)))
        for finding in findings
        if finding.rule.id == _TABLE_REMOVED
    }
    return tuple(sorted(removed | {table for table in critical if table not in counts}))


def find_gone(
    findings: tuple[Finding, ...], critical: Iterable[str], counts: Mapping[str, RowCount]
) -> tuple[Finding, ...]:
    """Critical tables that are not there, where nothing else keeps an application from starting.

    The revision may be a later one, or the manifest accept the difference: it cannot work without them all the same.
    """
    if weigh(findings) == "critical":
        return ()
    from govern.checks.drift import rule_of  # only where something is wrong

    return tuple(
        Finding.of(
            rule_of("table", "removed"),
            Subject(kind="table", name=table),
            f"critical table {table} does not exist",
            severity=Severity.CRITICAL,
        )
        for table in critical
        if table not in counts
    )


def summarize(findings: Iterable[Finding]) -> str:
    """The gravest finding in a sentence that anybody may read, and what to do about it: no address, role or row."""
    ranked = sorted(findings, key=lambda finding: -finding.severity)
    if not ranked:
        return USABLE
    first = ranked[0]
    said, remedy = first.message, first.remedy
    if first.rule.id in _QUOTING:
        said, remedy = first.rule.name, first.rule.remedy
    elif first.subject.kind == "database":
        said = said.replace(first.subject.name, "the database")  # not where it is
    others = f" ({count_of(len(ranked) - 1, 'more finding')}: govern health)" if len(ranked) > 1 else ""
    return f"{said}; next: {remedy}{others}"
