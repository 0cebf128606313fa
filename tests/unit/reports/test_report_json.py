"""What scripts read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from jsonschema import Draft202012Validator

from govern.core.finding import Finding, Fix, Rule, Severity, Subject
from govern.core.report import Entry, Problem, Report, Target
from govern.reports.json import render, to_document

RULE = Rule(
    id="drift.column-type",
    name="a type differs",
    severity=Severity.ERROR,
    condition="",
    effect="it overflows",
    remedy="alter it",
)
STARTED = datetime(2026, 1, 31, 12, 0, 0, 5000, tzinfo=UTC)


def make_report(**details: object) -> Report:
    return Report(command="drift", started_at=STARTED, duration_ms=41, **details)  # type: ignore[arg-type]


def test_the_document_has_exactly_the_keys_of_the_contract() -> None:
    finding = Finding.of(
        RULE,
        Subject(kind="column", namespace="public", name="users.age"),
        "users.age is bigint",
        evidence={"declared": "integer", "live": "bigint"},
        fix=Fix(sql=("ALTER …",), proven=True),
    )
    target = Target(
        name="default", url="postgresql://app:***@db/app", dialect="postgresql", revision=("3f2a",)
    )
    report = make_report(entries=(Entry.of("drift", (finding,)),), target=target, unmodelled=("cast",))
    document = json.loads(render(report))
    version = document["tool"].pop("version")
    assert version
    assert document == {
        "schema_version": 1,
        "tool": {"name": "govern"},
        "command": "drift",
        "status": "found",
        "target": {
            "name": "default",
            "url": "postgresql://app:***@db/app",
            "dialect": "postgresql",
            "server_version": None,
            "revision": ["3f2a"],
            "heads": [],
        },
        "started_at": "2026-01-31T12:00:00.005Z",
        "duration_ms": 41,
        "entries": [
            {
                "name": "drift",
                "status": "found",
                "reason": "",
                "findings": [
                    {
                        "key": finding.key,
                        "rule": "drift.column-type",
                        "severity": "error",
                        "subject": {
                            "kind": "column",
                            "namespace": "public",
                            "name": "users.age",
                            "path": None,
                            "line": None,
                        },
                        "message": "users.age is bigint",
                        "why": "it overflows",
                        "remedy": "alter it",
                        "evidence": {"declared": "integer", "live": "bigint"},
                        "fix": {"sql": ["ALTER …"], "loses_data": False, "proven": True},
                    }
                ],
            }
        ],
        "unmodelled": ["cast"],
        "summary": {"critical": 0, "error": 1, "warning": 0, "info": 0},
        "problem": None,
    }


def test_what_a_command_lists_stands_at_the_top() -> None:
    document = to_document(make_report(data={"backups": ({"id": "a", "path": Path("backups/a")},)}))
    assert document["backups"] == [{"id": "a", "path": "backups/a"}]


def test_listed_data_cannot_replace_a_key_of_the_contract() -> None:
    assert to_document(make_report(data={"status": "splendid"}))["status"] == "undecided"


def test_a_problem_is_in_the_document_with_its_exit_code() -> None:
    problem = Problem(what="no", why="w", next="n", state="s", exit_code=4)
    document = to_document(make_report(problem=problem))
    assert document["status"] == "refused"
    assert document["problem"] == {"what": "no", "why": "w", "next": "n", "state": "s", "exit_code": 4}


def test_values_json_does_not_have_become_text() -> None:
    data = {
        "x": float("nan"),
        "y": {"b", "a"},
        "z": datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
    }
    assert to_document(make_report(data={"values": data}))["values"] == {
        "x": "nan",
        "y": ["a", "b"],
        "z": "2026-01-01T00:00:00.000Z",
    }


def test_the_document_is_ascii_whatever_the_names() -> None:
    text = render(make_report(data={"name": "größe\x1b\udcff"}))
    assert text.isascii()
    assert json.loads(text)["name"] == "größe\x1b\udcff"


def test_a_report_is_what_its_published_schema_says_and_no_more() -> None:
    text = (Path(__file__).parents[3] / "docs" / "report.schema.json").read_text(encoding="utf-8")
    published = json.loads(text)
    closed = json.loads(text, object_hook=close)
    fix = Fix(sql=("DELETE …",), repair="orphaned-notes", kind="delete_orphans")
    subject = Subject(kind="table", name="notes", path="schema/governance.yaml", line=3)
    target = Target(
        name="default", url="sqlite:///app.db", dialect="sqlite", server_version="3.45", heads=("r2",)
    )
    report = make_report(
        entries=(
            Entry.of("drift", (Finding.of(RULE, subject, "message", evidence={"rows": 3}, fix=fix),)),
            Entry(name="lint", status="skipped", reason="nobody asked", is_optional=True),
        ),
        target=target,
        unmodelled=("cast",),
        problem=Problem(what="refused", why="", next="govern plan", state="nothing was changed", exit_code=4),
    )
    for document in (json.loads(render(report)), json.loads(render(make_report()))):
        Draft202012Validator(closed).validate(document)
    with_data = to_document(make_report(data={"backups": []}))
    Draft202012Validator(published).validate(with_data)
    assert not Draft202012Validator(closed).is_valid(with_data)
    assert not Draft202012Validator(published).is_valid({**with_data, "status": "fine"})


def close(value: dict[str, object]) -> dict[str, object]:
    """An object of the schema, as one that takes no other keys."""
    return {**value, "additionalProperties": False} if "required" in value else value
