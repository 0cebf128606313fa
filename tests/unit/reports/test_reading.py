"""A report that was written as JSON is the same report when it is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from govern.checks.registry import all_rules
from govern.checks.scan.rules import UNDEFINED_TABLE
from govern.core.finding import Finding, Fix, Severity, Subject
from govern.core.report import Entry, Problem, Report, Target
from govern.errors import ConfigurationError
from govern.reports import json as as_json
from govern.reports.reading import read_report

FINDING = Finding.of(
    UNDEFINED_TABLE,
    Subject(kind="table", name="a", path="b.py", line=3),
    "no table",
    severity=Severity.CRITICAL,
    evidence={"column": 7, "near": ["b"]},
    fix=Fix(sql=("SELECT 1", "SELECT 2"), proven=True, repair="r"),
)
REPORT = Report(
    command="check",
    started_at=datetime(2031, 1, 2, tzinfo=UTC),
    duration_ms=1500,
    entries=(
        Entry.of("scan", (FINDING,), "12 files"),
        Entry(name="lock", status="skipped", reason="no server", is_optional=True),
        Entry(name="replay", status="crashed", reason="no server"),
    ),
    target=Target(name="default", url="sqlite:///a", dialect="sqlite", revision=("r1",), heads=("r2",)),
    problem=Problem(what="a", why="b", next="c", state="d", exit_code=5),
    unmodelled=("publication",),
    data={"heads": ["r1"]},
)


def test_it_is_the_same_report(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    for report in (REPORT, Report(command="chain", started_at=REPORT.started_at, duration_ms=0)):
        file.write_text(as_json.render(report), encoding="utf-8")
        assert read_report(file, all_rules()) == report


def test_a_rule_of_another_release_is_what_its_finding_says(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(as_json.render(REPORT), encoding="utf-8")
    [finding] = read_report(file, {}).findings
    assert (finding.rule.id, finding.rule.name, finding.key) == (
        "scan.undefined-table",
        "undefined table",
        FINDING.key,
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema_version": 2}', '{"schema_version": 1}', "\x00", json.dumps(
        {**as_json.to_document(REPORT), "entries": [{"name": "x"}]}
    )]
)  # fmt: skip
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "report.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"report\.json"):
        read_report(file, all_rules())
