"""Findings as people read them: those of one rule together, the gravest first, with what is the same for all."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from govern.core.finding import Finding, Rule, Severity

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Findings of one rule and severity."""

    rule: Rule
    severity: Severity
    findings: tuple[Finding, ...]
    why: str | None
    """What all of them say; None where they differ."""
    remedy: str | None

    @property
    def subjects(self) -> str:
        """``column users.age``, ``table a, table b, table c and 4 more``."""
        names = list(dict.fromkeys(str(finding.subject) for finding in self.findings))
        more = len(names) - _MOST_NAMED
        return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def group_findings(findings: Iterable[Finding]) -> Iterator[Group]:
    """In the order in which they are read."""
    ordered = sorted(findings, key=lambda finding: (-finding.severity, finding.rule.id))
    for _, members in itertools.groupby(ordered, key=lambda one: (one.severity, one.rule.id)):
        for group in _split_by_why(tuple(members)):
            yield Group(
                rule=group[0].rule,
                severity=group[0].severity,
                findings=group,
                why=_shared(finding.why for finding in group),
                remedy=_shared(finding.remedy for finding in group),
            )


def _split_by_why(findings: tuple[Finding, ...]) -> tuple[tuple[Finding, ...], ...]:
    """Several reasons that several findings share stand once each; reasons of their own stay with each."""
    by_why: dict[str, list[Finding]] = {}
    for finding in findings:
        by_why.setdefault(finding.why, []).append(finding)
    if len(by_why) * 2 > len(findings):
        return (findings,)
    return tuple(map(tuple, by_why.values()))


def say_message(finding: Finding) -> str:
    """The message, where the subject stands above it: messages stand alone elsewhere."""
    rest = finding.message.removeprefix(str(finding.subject))
    return rest.lstrip(": ") if rest.startswith((":", " ")) else finding.message


def say_place(finding: Finding) -> str | None:
    """Where it is, unless the subject's name says so."""
    location = finding.subject.location
    return None if location == finding.subject.name else location


def _shared(texts: Iterable[str]) -> str | None:
    distinct = set(texts)
    return distinct.pop() if len(distinct) == 1 else None
