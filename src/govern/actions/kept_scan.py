"""Judges code, and keeps what came of each file for the next run; what is kept is not judged again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from govern.checks.scan import RULES
from govern.checks.scan.judge import Judged, judge_each
from govern.checks.scan.schema import Schema
from govern.code.kept.json_form import Said, parse
from govern.code.kept.store import Kept, digest, edition
from govern.core.code import CodeFile
from govern.core.finding import Finding, Severity, Subject

_RULES = {rule.id: rule for rule in RULES}


@dataclass(frozen=True)
class Code:
    """All files of a scan, each taken apart only where it is asked for."""

    said: Sequence[Said]

    @cached_property
    def files(self) -> tuple[CodeFile, ...]:
        return tuple(parse(one.text) for one in self.said)

    @cached_property
    def surroundings(self) -> tuple[CodeFile, ...]:
        """What of each file the others depend on."""
        return tuple(parse(one.surroundings) for one in self.said)

    @cached_property
    def around(self) -> str:
        """A digest of them."""
        return digest(*(one.surroundings for one in self.said))


def judge_changed(
    code: Code,
    schema: Schema,
    fingerprint: str,
    kept: Kept,
    *,
    narrate: Callable[[str], None] = lambda _: None,
) -> Judged:
    """As ``judge_code``. ``fingerprint``: of all that the schema's answers depend on."""
    against = digest(edition(), fingerprint, *schema.search_path, code.around)
    keys = [digest(against, one.text) for one in code.said]
    known = {key: judged for key, text in kept.find(keys).items() if (judged := _parse(text)) is not None}
    left = {key: one for key, one in zip(keys, code.said, strict=True) if key not in known}
    files = [parse(one.text) for one in left.values()]
    new = (
        dict(zip(left, judge_each(files, schema, code.surroundings, narrate=narrate), strict=True))
        if left
        else {}
    )
    kept.keep({key: _render(judged) for key, judged in new.items()}, used=known)
    each = known | new
    return Judged.sum(each[key] for key in keys)


def _render(judged: Judged) -> str:
    findings = [_give(finding) for finding in judged.findings]
    return json.dumps([judged.statements, judged.unverified, judged.elsewhere, findings])


def _parse(text: str) -> Judged | None:
    try:
        statements, unverified, elsewhere, findings = json.loads(text)
        taken = [_take(finding) for finding in findings]
    except (ValueError, TypeError, KeyError):
        return None
    return Judged(findings=taken, statements=statements, unverified=unverified, elsewhere=elsewhere)


def _give(finding: Finding) -> dict[str, Any]:
    subject = finding.subject
    return {
        "rule": finding.rule.id,
        "subject": {name: getattr(subject, name) for name in Subject.__slots__},
        "severity": int(finding.severity),
        "message": finding.message,
        "why": finding.why,
        "remedy": finding.remedy,
        "evidence": finding.evidence,
    }


def _take(given: Mapping[str, Any]) -> Finding:
    facts = {name: given[name] for name in ("message", "why", "remedy", "evidence")}
    return Finding(
        rule=_RULES[given["rule"]],
        subject=Subject(**given["subject"]),
        severity=Severity(given["severity"]),
        **facts,
    )
