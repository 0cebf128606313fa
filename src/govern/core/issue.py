"""An issue: what a monitor has found, since when, and what could be done about it.

Its document has the keys of ``GET /api/database-health/issues``; keys are added, never renamed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, get_args

from govern.core.finding import Finding, Fix, Severity
from govern.core.snapshot import ABOUT_AN_OBJECT, INSIDE_A_RELATION, split_name

IssueState = Literal["open", "resolved"]
Tier = Literal["critical", "medium", "low"]
FixKind = Literal[
    "recreate_missing",
    "restore_changed",
    "delete_orphans",
    "set_null",
    "delete_where",
    "insert_missing",
    "move_sequence",
    "convert_type",
    "add_foreign_key",
    "create_index_concurrently",
    "rebuild_invalid_index",
]
"""The first two are what a repair of drift does by itself; all but ``restore_changed`` can be declared."""

DRIFT_FIXES: Mapping[str, FixKind] = {"removed": "recreate_missing", "changed": "restore_changed"}
"""What a repair does about each kind of drift. What was added stays: somebody may need it."""
_PREFIXES = {"added": "UNEXPECTED", "removed": "MISSING", "changed": "CHANGED"}
_EXPECTATIONS = {
    "integrity.orphan": "Every row refers to a row that is there",
    "integrity.min-rows": "At least as many rows as the manifest asks for",
    "integrity.empty-value": "A value in every row",
    "integrity.duplicate": "No two rows share these values",
    "integrity.sequence-behind": "A sequence that is ahead of its column",
    "integrity.type-mismatch": "One type for columns that hold the same keys",
    "integrity.repair-due": "Nothing for the repair to do",
}
_INDEXED = re.compile(r"USING \w+ \(([^()]*)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One problem, named by the key of its finding."""

    key: str
    rule: str
    issue_type: str
    """In capitals: ``MISSING_INDEX``."""
    severity: Severity
    kind: str
    """Of the subject: ``index``."""
    subject: str
    """``index public.users.ix_users_email``."""
    table: str | None
    """By full name: ``public.users``; SQLite ``users``."""
    column: str | None
    current_state: str
    """Without anything from a row, as all of an issue but for ``message`` and ``evidence``."""
    expected_state: str
    message: str
    remedy: str
    check: str
    """The check that found it: only that one can say that it is gone."""
    fix: FixKind | None = None
    sql: tuple[str, ...] = ()
    """The statements of its fix."""
    loses_data: bool = False
    is_proven: bool = False
    """Whether the statements were tried on a copy."""
    repair: str | None = None
    """The name of the manifest's repair that is its fix; None: its own ``sql``."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """The finding's, as JSON has it: with keys of rows, so it is for those who may see rows."""
    first_seen: datetime
    last_seen: datetime
    state: IssueState = "open"

    @property
    def tier(self) -> Tier:
        """Critical ones may be fixed, medium ones are listed, low ones are advice."""
        if self.severity >= Severity.CRITICAL:
            return "critical"
        return "medium" if self.severity >= Severity.WARNING else "low"

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "rule": self.rule,
            "issue_type": self.issue_type,
            "severity": self.severity.label,
            "tier": self.tier,
            "kind": self.kind,
            "subject": self.subject,
            "table": self.table,
            "column": self.column,
            "current_state": self.current_state,
            "expected_state": self.expected_state,
            "message": self.message,
            "remedy": self.remedy,
            "check": self.check,
            "fix": self.fix,
            "sql": list(self.sql),
            "loses_data": self.loses_data,
            "proven": self.is_proven,
            "repair": self.repair,
            "evidence": dict(self.evidence),
            "first_seen": self.first_seen.isoformat(),
            "last_seen": self.last_seen.isoformat(),
            "state": self.state,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Issue:
        """The inverse of ``to_json``. Raises KeyError or ValueError for anything else."""
        facts = {name: value[name] for name in _PLAIN}
        return cls(
            **facts,
            severity=Severity.parse(value["severity"]),
            sql=tuple(value["sql"]),
            is_proven=value["proven"],
            repair=value.get("repair"),
            evidence=value.get("evidence", {}),
            first_seen=datetime.fromisoformat(value["first_seen"]),
            last_seen=datetime.fromisoformat(value["last_seen"]),
        )


_PLAIN = (
    *("key", "rule", "issue_type", "kind", "subject", "table", "column", "current_state", "expected_state"),
    *("message", "remedy", "check", "fix", "loses_data", "state"),
)


def issue_of(finding: Finding, check: str, now: datetime, *, home: str) -> Issue:
    """The finding as an issue that is seen for the first time. ``home``: the namespace of names without one."""
    fix = finding.fix
    table, column = _place_of(finding, home)
    current, expected = _states_of(finding, column)
    action = _action_of(finding)
    return Issue(
        key=finding.key,
        rule=finding.rule.id,
        issue_type=_type_of(finding),
        severity=finding.severity,
        kind=finding.subject.kind,
        subject="the database"
        if finding.subject.kind == "database"
        else str(finding.subject),  # not where it is
        table=table,
        column=column,
        current_state=current,
        expected_state=expected,
        message=finding.message,
        remedy=finding.remedy,
        check=check,
        fix=_fix_of(fix, action),
        sql=fix.sql if fix else (),
        loses_data=bool(fix and fix.loses_data),
        is_proven=bool(fix and fix.proven),
        repair=fix.repair if fix else None,
        evidence=finding.evidence,
        first_seen=now,
        last_seen=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one pass has made of the issues that were known."""

    issues: Mapping[str, Issue]
    opened: tuple[Issue, ...]
    resolved: tuple[Issue, ...]


def see(
    known: Mapping[str, Issue], seen: Iterable[Issue], *, decided: frozenset[str], now: datetime
) -> Sighting:
    """The issues after a pass that saw ``seen``.

    ``decided``: the checks that came to their end. What another one had found stays as it was: nobody looked.
    """
    issues, opened, there = dict(known), [], set()
    for issue in seen:
        there.add(issue.key)
        before = known.get(issue.key)
        if before is None or before.state == "resolved":
            opened.append(issue)
            issues[issue.key] = issue
        else:
            issues[issue.key] = replace(issue, first_seen=before.first_seen)
    resolved = tuple(
        replace(issue, state="resolved", last_seen=now)
        for key, issue in known.items()
        if issue.state == "open" and issue.check in decided and key not in there
    )
    issues |= {issue.key: issue for issue in resolved}
    return Sighting(issues=issues, opened=tuple(opened), resolved=resolved)


def is_left(before: Issue, after: Issue) -> bool:
    """Whether a fix has not taken the issue away. Of rows, fewer than before are others, which came meanwhile."""
    if after.state == "resolved":
        return False
    rows, left = before.evidence.get("rows"), after.evidence.get("rows")
    if before.repair is None or not isinstance(rows, int) or not isinstance(left, int):
        return True
    return left >= rows


def _fix_of(fix: Fix | None, action: str | None) -> FixKind | None:
    if fix is None:
        return None
    if fix.repair is None:
        return DRIFT_FIXES.get(action or "")
    return next((kind for kind in get_args(FixKind) if kind == fix.kind), None)


def _action_of(finding: Finding) -> str | None:
    """``removed`` of ``drift.index-removed``."""
    action = finding.rule.id.rpartition("-")[2]
    return action if finding.rule.family == "drift" and action in _PREFIXES else None


def _type_of(finding: Finding) -> str:
    family, _, name = finding.rule.id.partition(".")
    if action := _action_of(finding):
        return f"{_PREFIXES[action]}_{_capitals(name.removesuffix(f'-{action}'))}"
    if finding.rule.id == "integrity.orphan":
        return "ORPHANED_ROWS"
    return _capitals(name) if family in ("integrity", "drift") else _capitals(f"{family}-{name}")


def _capitals(name: str) -> str:
    return name.replace("-", "_").upper()


def _place_of(finding: Finding, home: str) -> tuple[str | None, str | None]:
    """Table, by full name, and column, as far as the subject's name tells."""
    subject = finding.subject
    kind, name = subject.kind, subject.name
    if kind == "repair":
        table, column = finding.evidence.get("table"), finding.evidence.get("column")
        return str(table) if table else None, str(column) if column else None
    if kind in ABOUT_AN_OBJECT:
        kind, _, name = name.partition(" ")
    if kind == "relationship":  # notes.user_id → users.id
        kind, name = "column", name.partition(" ")[0]
    parts = (name,) if subject.kind == "table" else split_name(name)
    if kind == "table":
        return _qualified(subject.namespace, parts, home), None
    if kind not in INSIDE_A_RELATION or len(parts) < 2:
        return None, None
    table = _qualified(subject.namespace, parts[:-1], home)
    return table, parts[-1] if kind == "column" else _indexed(finding) if kind == "index" else None


def _qualified(namespace: str | None, parts: tuple[str, ...], home: str) -> str:
    namespace = namespace or (home if len(parts) == 1 else None)
    return ".".join((namespace, *parts) if namespace else parts)


def _indexed(finding: Finding) -> str | None:
    """The columns of an index: ``user_id``; None where it is over something else."""
    facts = _facts(finding, "declared") or _facts(finding, "live")
    columns = facts.get("columns")
    if isinstance(columns, list | tuple):
        return ", ".join(map(str, columns))
    found = _INDEXED.search(str(facts.get("definition", "")))
    return found[1] if found else None


def _states_of(finding: Finding, column: str | None) -> tuple[str, str]:
    """How it is, and how it should be."""
    action, kind = _action_of(finding), finding.subject.kind
    if action == "removed":
        return f"No {kind}", _describe(finding, "declared", column)
    if action == "added":
        return _describe(finding, "live", column), f"No {kind}"
    if action == "changed":
        return _list(_facts(finding, "live")), _list(_facts(finding, "declared"))
    if finding.subject.kind == "probe":
        return _answer_of(finding)
    rows = finding.evidence.get("rows")
    current = f"{finding.rule.name}: {rows}" if isinstance(rows, int) else finding.rule.name
    return current[0].upper() + current[1:], _EXPECTATIONS.get(finding.rule.id, finding.rule.remedy)


def _answer_of(finding: Finding) -> tuple[str, str]:
    """How the application answered, without what it said, and what is to be expected of it."""
    status, took = finding.evidence.get("status"), finding.evidence.get("ms")
    name = finding.rule.name[0].upper() + finding.rule.name[1:]
    answered = f": status {status} after {took} ms" if status is not None else ""
    return name + answered, str(finding.evidence.get("expected") or finding.rule.remedy)


def _describe(finding: Finding, side: str, column: str | None) -> str:
    kind, facts = finding.subject.kind.capitalize(), _facts(finding, side)
    if finding.subject.kind == "index" and column:
        return f"Index on {column}"
    if finding.subject.kind == "column" and "type" in facts:
        return f"Column of type {facts['type']}"
    return f"{kind} {finding.subject.name}"


def _facts(finding: Finding, side: str) -> Mapping[str, object]:
    facts = finding.evidence.get(side)
    return facts if isinstance(facts, Mapping) else {}


def _list(facts: Mapping[str, object]) -> str:
    said = (
        f"{name.replace('_', ' ')} {'unset' if value is None else value}" for name, value in facts.items()
    )
    return ", ".join(said) or "unset"
