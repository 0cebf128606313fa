"""What many databases have in common is told once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from govern.checks.drift import rule_of
from govern.checks.registry import all_rules
from govern.core.finding import Finding, Rule, Severity, Subject
from govern.core.report import Entry, Report
from govern.fleet.grouping import group_findings, group_problems, group_revisions, group_schemas
from govern.fleet.job import Outcome
from govern.reports.json import to_document
from tests.unit.fleet.conftest import make_outcome

CHANGED = rule_of("column", "changed")


def changed(column: str, live: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding.of(
        CHANGED,
        Subject(kind="column", namespace="public", name=column),
        f"column {column} is otherwise",
        severity=severity,
        evidence={
            "declared": {"type": "integer"},
            "live": {"type": live, "labels": ["a", "b"], "nullable": True},
        },
    )


def found(name: str, *findings: Finding) -> Outcome:
    report = Report(
        command="drift",
        started_at=datetime.now(UTC),
        duration_ms=1,
        entries=(Entry.of("drift", findings),),
    )
    return make_outcome(name, 1, entries=to_document(report)["entries"])


def test_equal_findings_are_one_and_the_most_frequent_of_the_gravest_comes_first() -> None:
    seldom, often = changed("users.seldom", "text"), changed("users.often", "text")
    critical = changed("users.critical", "text", Severity.CRITICAL)
    groups = group_findings(
        [found("a", seldom, often), found("b", often), found("c", often, critical), make_outcome("d")],
        all_rules(),
    )
    assert [(group.finding.subject.name, len(group.targets)) for group in groups] == [
        ("users.critical", 1),
        ("users.often", 3),
        ("users.seldom", 1),
    ]
    assert groups[1].told.message.endswith("(on 3 of 4: a, b, c)")
    assert groups[1].told.key == often.key


def test_forms_of_one_finding_are_told_apart() -> None:
    one, other = changed("users.age", "bigint"), changed("users.age", "text")
    (group,) = group_findings([found("a", other), found("b", one), found("c", one)], all_rules())
    assert [(variant.form, variant.targets) for variant in group.variants] == [
        ("type bigint, labels a b, nullable yes", ("b", "c")),
        ("type text, labels a b, nullable yes", ("a",)),
    ]
    assert "in 2 forms" in group.told.message


def test_what_differs_in_numbers_alone_has_one_form() -> None:
    rule = Rule(id="integrity.orphan", name="", severity=Severity.ERROR, condition="", effect="", remedy="")
    subject = Subject(kind="constraint", name="notes.user")
    orphans = [Finding.of(rule, subject, "rows without parent", evidence={"rows": rows}) for rows in (3, 4)]
    (group,) = group_findings([found("a", orphans[0]), found("b", orphans[1])], all_rules())
    assert len(group.variants) == 1


def problem(what: str, exit_code: int) -> dict[str, Any]:
    return {"problem": {"what": what, "why": "", "next": "", "state": "", "exit_code": exit_code}}


def test_equal_problems_are_one_and_what_failed_midway_comes_first() -> None:
    problems = group_problems(
        [
            make_outcome("a", 3, **problem("no server", 3)),
            make_outcome("b", 3, **problem("no server", 3)),
            make_outcome("c", 5, **problem("half done", 5)),
            make_outcome("d"),
        ]
    )
    assert [(one["what"], one["targets"]) for one in problems] == [
        ("half done", ["c"]),
        ("no server", ["a", "b"]),
    ]


def standing(name: str, revision: str, fingerprint: str) -> Outcome:
    target = {
        "name": name, "url": "", "dialect": "postgresql", "server_version": "18.4",
        "revision": [revision], "heads": ["r2"],
    }  # fmt: skip
    return make_outcome(name, target=target, fingerprint=fingerprint, pending=int(revision == "r1"))


def test_outliers_are_seen_among_those_of_one_revision() -> None:
    outcomes = [
        standing("a", "r2", "x"),
        standing("b", "r2", "x"),
        standing("c", "r2", "y"),
        standing("d", "r1", "z"),
    ]
    assert [(one["revision"], one["fingerprint"], one["targets"]) for one in group_schemas(outcomes)] == [
        ("r2", "x", ["a", "b"]),
        ("r2", "y", ["c"]),
        ("r1", "z", ["d"]),
    ]
    assert [(one["revision"], one["pending"], one["count"]) for one in group_revisions(outcomes)] == [
        ("r2", 0, 3),
        ("r1", 1, 1),
    ]
