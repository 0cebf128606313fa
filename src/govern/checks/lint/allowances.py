"""What the manifest allows is no finding; an entry that has expired or matches nothing is one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from govern.checks.lint.rules import ALLOWANCE_EXPIRED, ALLOWANCE_UNUSED, HAZARDS
from govern.core.allowance import Allowance, Allowances, sort_out
from govern.core.finding import Finding, Subject


def apply_allowances(
    findings: tuple[Finding, ...], allowances: Allowances, today: date
) -> tuple[Finding, ...]:
    """The findings that nobody allowed, and those about the entries themselves."""
    left, used = sort_out(
        ((finding, HAZARDS.get(finding.rule.id)) for finding in findings), allowances.holding(today)
    )
    return (*left, *_about_entries(allowances, frozenset(used), today))


def _about_entries(allowances: Allowances, used: frozenset[Allowance], today: date) -> Iterator[Finding]:
    for entry in allowances.expired(today):
        message = f"allowed until {entry.expires}: {entry.name}"
        why = f"{entry.owner} answers for it: {entry.reason}"
        yield Finding.of(ALLOWANCE_EXPIRED, _subject(entry, allowances), message, why=why)
    for entry in allowances.holding(today):
        if entry not in used:
            message = f"nothing was found that is allowed as {entry.name}"
            yield Finding.of(ALLOWANCE_UNUSED, _subject(entry, allowances), message)


def _subject(entry: Allowance, allowances: Allowances) -> Subject:
    return Subject(kind="allowance", name=entry.name, path=allowances.path or None, line=entry.line)
