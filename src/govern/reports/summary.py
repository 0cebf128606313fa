"""What a report comes to: whose it is, how much was found, and what was not decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from govern.core.finding import Finding, Severity
from govern.core.wording import count_of

if TYPE_CHECKING:
    from govern.core.report import Entry, Problem, Report, Target

_DIALECTS = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


def describe_target(target: Target) -> Iterator[str]:
    """The database, its server, and where it stands in the chain."""
    yield target.url if target.name == "default" else f"{target.name} {target.url}"
    if target.server_version:
        yield name_server(target)
    if target.revision is None:
        return
    at = f"at {', '.join(target.revision)}" if target.revision else "at no revision"
    if target.heads and set(target.revision) == set(target.heads):
        yield f"{at} (head)"
    elif target.heads:
        yield f"{at}, head is {', '.join(target.heads)}"
    else:
        yield at


def name_server(target: Target) -> str:
    """``PostgreSQL 18.4``."""
    return f"{_DIALECTS.get(target.dialect, target.dialect)} {target.server_version or ''}".rstrip()


def say_headline(report: Report) -> str:
    """``govern check: 2 errors, 1 warning``, ``Schema review: clean``."""
    title = "Schema review" if "pull_request" in report.data else f"govern {report.command}".rstrip()
    counted = _say_counts(report)
    return f"{title}: {counted if report.status == 'found' and counted else report.status}"


def summarise(report: Report) -> Iterator[str]:
    """``2 errors, 1 warning``, ``1 undecided``, ``5 of 7 passed``, ``0.41 s``."""
    if not report.entries:
        yield "nothing was checked"
    if counted := _say_counts(report):
        yield counted
    undecided = sum(entry.is_undecided for entry in report.entries)
    if undecided:
        yield f"{undecided} undecided"
    if report.entries:
        passed = sum(entry.status == "passed" for entry in report.entries)
        yield f"{passed} of {len(report.entries)} passed"
    yield f"{report.duration_ms / 1000:.2f} s"


def _say_counts(report: Report) -> str:
    """Nothing for no findings."""
    found = [(report.count(severity), severity.label) for severity in reversed(Severity)]
    return ", ".join(count_findings(count, label) for count, label in found if count)


def find_gravest(findings: Iterable[Finding]) -> Severity | None:
    """None where there are none."""
    return max((finding.severity for finding in findings), default=None)


def count_findings(count: int, label: str) -> str:
    """``2 errors``, ``1 critical``, ``3 info``."""
    return count_of(count, label) if label in ("error", "warning") else f"{count} {label}"


def describe_entry(entry: Entry) -> str:
    """How it ended, in words: its findings counted, and its reason."""
    found = count_of(len(entry.findings), "finding") if entry.findings else ""
    return "; ".join(filter(None, ("failed" if entry.status == "crashed" else found, entry.reason)))


def describe_problem(problem: Problem) -> Iterator[str]:
    """What happened, and the other sentences there are, each behind its label."""
    yield problem.what
    sentences = (("why", problem.why), ("next", problem.next), ("state", problem.state))
    yield from (f"{label}: {said}" for label, said in sentences if said)


def describe_finding(finding: Finding) -> Iterator[str]:
    """Where nothing stands around it: the message with what it is about, why it matters, what to do."""
    subject = finding.subject
    yield finding.message if subject.name in finding.message else f"{subject}: {finding.message}"
    yield from (
        f"{label}: {said}" for label, said in (("why", finding.why), ("next", finding.remedy)) if said
    )
