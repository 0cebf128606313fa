"""A report as JUnit XML: as CI systems read it."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

from govern.checks.probes.rules import SLOW, UNREACHABLE
from govern.core.finding import Finding, Severity, Subject
from govern.core.report import Entry, Problem, Report
from govern.reports import junit

SUBJECT = Subject(kind="probe", name="a: GET /", path="governance.yaml", line=7)


def render(
    *entries: Entry, problem: Problem | None = None, fail_on: Severity = Severity.ERROR
) -> ElementTree.Element:
    report = Report(
        command="probe",
        started_at=datetime(2031, 1, 2, tzinfo=UTC),
        duration_ms=1500,
        entries=entries,
        problem=problem,
        data={"probes": [{"name": "bad", "ms": 1200}]},
    )
    suite = ElementTree.fromstring(junit.render(report, fail_on=fail_on)).find("testsuite")
    assert suite is not None
    return suite


def test_entries_are_cases_and_findings_failures() -> None:
    suite = render(
        Entry.of("good", (), "3 requests"),
        Entry.of("bad", (Finding.of(UNREACHABLE, SUBJECT, 'no <answer> & "nothing"\x00\x1b'),)),
        Entry.of("advice", (Finding.of(SLOW, SUBJECT, "slow", severity=Severity.WARNING),)),
        Entry(name="broken", status="crashed", reason="no table"),
        Entry(name="left", status="skipped", reason="not asked"),
    )
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time")}
    assert counts == {"tests": "5", "failures": "1", "errors": "1", "skipped": "1", "time": "1.5"}
    good, bad, advice, broken, left = suite.findall("testcase")
    assert list(good.iter("failure")) == []
    failure = bad.find("failure")
    assert failure is not None
    assert failure.get("type") == "probe.unreachable"
    assert failure.get("message") == 'no <answer> & "nothing"\ufffd\ufffd'
    assert "at: governance.yaml:7" in (failure.text or "")
    assert float(bad.get("time", "")) == 1.2
    assert advice.find("failure") is None
    assert "slow" in (advice.findtext("system-out") or "")
    assert broken.find("error") is not None
    assert left.find("skipped") is not None


def test_a_failure_is_what_fails_the_command() -> None:
    slow = Entry.of("slow", (Finding.of(SLOW, SUBJECT, "slow", severity=Severity.WARNING),))
    assert [render(slow, fail_on=least).get("failures") for least in Severity] == ["1", "1", "0", "0"]


def test_a_command_that_could_not_do_its_work_is_an_error() -> None:
    problem = Problem(what="no server", why="down", next="start it", state="nothing was changed", exit_code=3)
    suite = render(problem=problem)
    error = suite.find("testcase/error")
    assert error is not None
    assert (error.get("message"), error.get("type")) == ("no server", "exit 3")
    assert "next: start it" in (error.text or "")
