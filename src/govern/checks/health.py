"""Can the database be worked with? Weighs what was found; looks at nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from govern.checks.startup import CANNOT_VERIFY, UNHEALTHY, UNREACHABLE
from govern.core.finding import Finding, Severity
from govern.core.health import RowCount, Status
from govern.core.snapshot import join_name
from govern.core.wording import count_of

USABLE = "the database has the schema that this application was written for"
_QUOTING = frozenset({UNREACHABLE.id, CANNOT_VERIFY.id, UNHEALTHY.id})
"""Rules whose messages quote a server or a run: addresses, roles, even rows may be in them."""
_TABLE_REMOVED = "drift.table-removed"


def weigh(schema: Iterable[Finding], backups: Iterable[Finding]) -> Status:
    """``critical`` or ``degraded`` where an application would not be let start, by the gravest finding.

    What does not keep it from starting leaves it healthy; but without a proven backup nothing is.
    """
    refusing = [finding.severity for finding in schema if finding.severity >= Severity.ERROR]
    if refusing and max(refusing) >= Severity.CRITICAL:
        return "critical"
    return "degraded" if refusing or any(True for _ in backups) else "healthy"


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


def summarize(findings: Iterable[Finding]) -> str:
    """The gravest finding in a sentence that may be read by anybody, and what to do about it."""
    ranked = sorted(findings, key=lambda finding: -finding.severity)
    if not ranked:
        return USABLE
    first = ranked[0]
    said = first.rule.name if first.rule.id in _QUOTING else first.message
    remedy = first.rule.remedy if first.rule.id in _QUOTING else first.remedy
    others = f" ({count_of(len(ranked) - 1, 'more finding')}: govern health)" if len(ranked) > 1 else ""
    return f"{said}; next: {remedy}{others}"
