"""A report as JUnit XML, which every CI system shows: an entry is a test case, its findings are its failures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import junitparser

from govern.core.finding import Finding, Severity
from govern.core.report import Entry, Report
from govern.reports.summary import describe_problem
from govern.version import __version__

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document can hold (www.w3.org/TR/xml, 2.2)."""


def render(report: Report, *, fail_on: Severity = Severity.ERROR) -> str:
    """The report as one document with a newline at its end. What was found below ``fail_on`` is no failure."""
    suite = junitparser.TestSuite(_clean(f"govern {report.command}".rstrip()))
    suite.timestamp = report.started_at.isoformat(timespec="seconds")
    suite.add_property("version", __version__)
    if report.target is not None:
        suite.add_property("target", _clean(report.target.url))
    seconds = _read_seconds(report)
    suite.add_testcases([_to_case(entry, report, seconds, fail_on) for entry in report.entries])
    if report.problem is not None:
        suite.add_testcase(_to_problem(report))
    suite.time = report.duration_ms / 1000
    document: Any = junitparser.JUnitXml("govern")  # half of its methods have no types
    document.add_testsuite(suite)
    if "fleet" in report.data:
        document.add_testsuite(_to_targets(report))
    document.update_statistics()
    suite.time = document.time = report.duration_ms / 1000
    return _write(document)


def _write(document: Any) -> str:
    root = ElementTree.fromstring(document.tostring())  # noqa: S314  # our own
    root.attrib.pop("skipped", None)  # Jenkins' schema knows it of a suite alone
    return ElementTree.tostring(root, encoding="unicode").rstrip("\n") + "\n"


def _to_case(
    entry: Entry, report: Report, seconds: Mapping[str, float], fail_on: Severity
) -> junitparser.TestCase:
    case = junitparser.TestCase(
        _clean(entry.name), classname=f"govern.{report.command}", time=seconds.get(entry.name, 0.0)
    )
    failures = [finding for finding in entry.findings if finding.severity >= fail_on]
    results: list[Any] = [_to_failure(finding) for finding in failures]
    if entry.status == "crashed":
        results.append(junitparser.Error(_clean(entry.reason), "crashed"))
    elif entry.status == "skipped":
        results.append(junitparser.Skipped(_clean(entry.reason)))
    case.result = results
    told = [_describe(finding) for finding in entry.findings if finding.severity < fail_on]
    if lines := [*filter(None, [entry.reason]), *told]:
        case.system_out = _clean("\n\n".join(lines))
    return case


def _to_targets(report: Report) -> junitparser.TestSuite:
    """Of a fleet: a case for each database, so that a CI system shows which ones."""
    suite = junitparser.TestSuite(_clean(f"govern {report.command}: targets"))
    for target in report.data["targets"]:
        case = junitparser.TestCase(
            _clean(target["name"]),
            classname=_clean(f"govern.fleet.{target['wave']}"),
            time=_seconds_of(target),
        )
        case.result = _to_results(target)
        suite.add_testcase(case)
    return suite


def _seconds_of(target: Mapping[str, Any]) -> float:
    return float(target.get("duration_ms", 0)) / 1000


def _to_results(target: Mapping[str, Any]) -> list[Any]:
    problem, said = target["problem"], [finding["message"] for finding in target["findings"]]
    if target["exit_code"] is None:
        return [junitparser.Skipped("not visited")]
    if target["exit_code"] == 0:
        return []
    if problem is None:
        return [
            junitparser.Failure(
                _clean("; ".join(said) or "not everything could be looked at"), target["status"]
            )
        ]
    error = junitparser.Error(_clean(problem["what"]), f"exit {target['exit_code']}")
    error.text = _clean("\n".join(filter(None, (problem["why"], problem["next"], problem["state"]))))
    return [error]


def _to_failure(finding: Finding) -> junitparser.Failure:
    failure = junitparser.Failure(_clean(finding.message), finding.rule.id)
    failure.text = _clean(_describe(finding))
    return failure


def _to_problem(report: Report) -> junitparser.TestCase:
    problem = report.problem
    assert problem is not None  # noqa: S101  # asked before
    case = junitparser.TestCase("govern", classname=f"govern.{report.command}", time=0.0)
    error = junitparser.Error(_clean(problem.what), f"exit {problem.exit_code}")
    error.text = _clean("\n".join([*describe_problem(problem)][1:]))
    case.result = [error]
    return case


def _describe(finding: Finding) -> str:
    return "\n".join(_lines(finding))


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity.label}: {finding.rule.id}: {finding.subject}"
    if finding.subject.location:
        yield f"at: {finding.subject.location}"
    yield finding.message
    yield f"why: {finding.why}"
    yield f"next: {finding.remedy}"


def _read_seconds(report: Report) -> Mapping[str, float]:
    """How long entries took, where the command has measured it."""
    measured = report.data.get("probes", ())
    by_name = {one["name"]: one["ms"] / 1000 for one in measured}
    return by_name | {f"probe {name}": seconds for name, seconds in by_name.items()}


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
