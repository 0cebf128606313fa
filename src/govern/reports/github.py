"""A report as workflow commands, which GitHub's runner shows beside the lines of a pull request.

The grammar is that of the runner (actions/runner, ``ActionCommand``); it takes ten annotations of a kind from a step,
and 4,096 characters of each. The gravest come first; the tenth says how many more there are, and the log has them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from govern.core.finding import Finding, Severity
from govern.core.report import Problem, Report
from govern.core.wording import count_of
from govern.reports.places import Place, Places
from govern.reports.style import make_harmless
from govern.reports.summary import (
    describe_entry,
    describe_finding,
    describe_problem,
    describe_target,
    summarise,
)

Kind = Literal["error", "warning", "notice"]

_KINDS: dict[Severity, Kind] = {
    Severity.CRITICAL: "error",
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
}
_MOST = 10
_LONGEST_MESSAGE = 4_096
_LONGEST_TITLE = 255
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Annotation:
    kind: Kind
    title: str
    message: str
    place: Place | None = None


def render(report: Report, places: Places) -> str:
    """Lines of the log, some of them commands, with a newline at the end."""
    return "".join(f"{line}\n" for line in _lines(report, places))


def _lines(report: Report, places: Places) -> Iterator[str]:
    annotations = tuple(_annotations(report, places))
    head = [f"govern {report.command}", *(describe_target(report.target) if report.target else ())]
    yield _plain(" · ".join(head))
    for entry in report.entries:
        yield _plain(f"{entry.status}: {entry.name}: {describe_entry(entry)}")
    for kind in ("error", "warning", "notice"):
        yield from _of_kind(kind, [one for one in annotations if one.kind == kind])
    yield _plain(" · ".join([report.status, *summarise(report)]))


def _of_kind(kind: Kind, annotations: Sequence[_Annotation]) -> Iterator[str]:
    if len(annotations) <= _MOST:
        yield from map(_command, annotations)
        return
    shown, rest = annotations[: _MOST - 1], annotations[_MOST - 1 :]
    yield from map(_command, shown)
    more = f"{count_of(len(rest), kind)} more"
    yield _command(_Annotation(kind=kind, title=more, message="the log of this step has them all"))
    yield f"::group::{more}"
    yield from (_plain(_say(one)) for one in rest)
    yield "::endgroup::"


def _annotations(report: Report, places: Places) -> Iterator[_Annotation]:
    """What could not be done or decided first: of no other kind is it so easily overlooked."""
    if report.problem is not None:
        yield _tell_problem(report, report.problem)
    for entry in report.entries:
        if entry.status == "crashed":
            yield _Annotation(kind="error", title=f"could not check: {entry.name}", message=entry.reason)
        elif entry.is_undecided:
            yield _Annotation(kind="warning", title=f"not checked: {entry.name}", message=entry.reason)
    for finding in sorted(report.findings, key=lambda finding: -finding.severity):
        yield _tell_finding(finding, places)


def _tell_problem(report: Report, problem: Problem) -> _Annotation:
    title = f"govern {report.command}".rstrip() + f" ended with {problem.exit_code}"
    return _Annotation(kind="error", title=title, message="\n".join(describe_problem(problem)))


def _tell_finding(finding: Finding, places: Places) -> _Annotation:
    return _Annotation(
        kind=_KINDS[finding.severity],
        title=f"{finding.rule.id}: {finding.subject}",
        message="\n".join(describe_finding(finding)),
        place=places.find(finding),
    )


def _command(annotation: _Annotation) -> str:
    place = annotation.place
    properties: dict[str, str] = {}
    if place is not None:
        properties |= {"file": place.path, "line": str(place.line)}
        properties |= {"col": str(place.column)} if place.column else {}
    properties["title"] = _cut(annotation.title, _LONGEST_TITLE) or "govern"
    said = ",".join(f"{name}={make_harmless(text).translate(_PROPERTY)}" for name, text in properties.items())
    # the runner drops what has no message
    message = make_harmless(_cut(annotation.message, _LONGEST_MESSAGE)) or annotation.title
    return f"::{annotation.kind} {said}::{message.translate(_DATA)}"


def _say(annotation: _Annotation) -> str:
    place = annotation.place
    where = f" at {place.path}:{place.line}" if place else ""
    return f"{annotation.kind}: {annotation.title}{where}: {annotation.message}"


def _plain(text: str) -> str:
    """One line of the log that is no command: neither of today's form nor of the older one, ``##[…]``."""
    line = " ".join(make_harmless(text).split())
    line = line.replace("##[", "## [")
    return f"- {line}" if line.startswith("::") else line


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
