"""Code beside two schemas: the one that the database has, and the one that the pending revisions make of it.

While they are applied, running code meets both. Columns are added before and dropped after the code that needs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from govern.checks.scan.judge import Judged
from govern.checks.scan.rules import UNUSED_IGNORE
from govern.core.finding import Finding

_ONLY_BEFORE = "until the pending revisions are applied"
_ONLY_AFTER = "once the pending revisions are applied"
_BEFORE_REMEDY = "apply the revisions first, and deploy the code once they are applied"
_AFTER_REMEDY = (
    "deploy code that does without it first; a later release drops or changes it (expand, then contract)"
)

_Identity = tuple[object, ...]


def judged_across(before: Judged, after: Judged) -> Judged:
    """What either refuses, each finding once; one that only one of them has says which."""
    return replace(after, findings=list(_join(_by_identity(before), _by_identity(after))))


def _join(before: Mapping[_Identity, Finding], after: Mapping[_Identity, Finding]) -> Iterator[Finding]:
    either = {**before, **after}
    for identity in sorted(either, key=lambda one: _place(either[one])):
        earlier, later = before.get(identity), after.get(identity)
        if earlier is not None and later is not None:
            yield later
        elif earlier is not None and earlier.rule is not UNUSED_IGNORE:
            yield _only(earlier, "before", _ONLY_BEFORE, _BEFORE_REMEDY)
        elif later is not None and later.rule is not UNUSED_IGNORE:
            yield _only(later, "after", _ONLY_AFTER, _AFTER_REMEDY)


def _only(finding: Finding, schema: str, when: str, remedy: str) -> Finding:
    return replace(
        finding,
        message=f"{when}: {finding.message}",
        remedy=remedy,
        evidence={**finding.evidence, "schema": schema},
    )


def _by_identity(judged: Judged) -> dict[_Identity, Finding]:
    return {_identify(finding): finding for finding in judged.findings}


def _identify(finding: Finding) -> _Identity:
    subject = finding.subject
    at = subject.path, subject.line, finding.evidence.get("column")
    return (finding.rule.id, subject.kind, subject.name, *at)


def _place(finding: Finding) -> tuple[str, int, str]:
    subject = finding.subject
    return (subject.path or "", subject.line or 0, finding.rule.id)
