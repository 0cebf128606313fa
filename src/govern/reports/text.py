"""A report for people: what was looked at, what was found, what to do. Each line can be read on its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from govern.core.finding import Finding, Fix, Severity
from govern.core.report import EXIT_CLEAN, EXIT_FOUND
from govern.reports.grouping import Group, group_findings, say_message, say_place
from govern.reports.listings import render_listings, select_unsaid
from govern.reports.statements import terminate
from govern.reports.style import Paint, Style
from govern.reports.summary import describe_entry, describe_target, summarise

if TYPE_CHECKING:
    from govern.core.report import Entry, EntryStatus, Problem, Report

_MARKS: dict[EntryStatus, tuple[str, Paint]] = {
    "passed": ("✓", "green"),
    "found": ("✗", "red"),
    "skipped": ("–", "yellow"),
    "crashed": ("!", "red"),
}
_HARMLESS_MARK: tuple[str, Paint] = ("~", "yellow")
"""Something was found, and nothing that fails the command."""
_TONES: dict[Severity, Paint] = {
    Severity.CRITICAL: "red",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.INFO: "cyan",
}
_TEXTS = ("snapshot", "diagram", "completion", "diff")
_EXPLANATIONS = frozenset({"rule", "rules"})
_LABEL_WIDTH = len("state: ")
_LARGEST_NAME_COLUMN = 28
_MOST_NOTES = 10
"""Of one rule's: what asks for nothing must not hide what does."""


def render(report: Report, style: Style | None = None, *, fail_on: Severity = Severity.ERROR) -> str:
    """The report but for its problem (``render_problem``), with a newline at its end; ``fail_on``: as its exit code.

    A command that was asked for a text (``govern snapshot``, ``govern explain``) yields nothing else.
    """
    style = style or Style()
    for name in _TEXTS:
        if isinstance(text := report.data.get(name), str):
            return text if not text or text.endswith("\n") else text + "\n"
    if report.document is not None:
        from govern.reports.documents import text as pages  # few ask for one

        return pages.render(report.document, style)
    if not _EXPLANATIONS.isdisjoint(report.data):
        return "\n".join(render_listings(report.data, style)) + "\n"
    parts = (
        _headline(report, style),
        list(_entries(report, style, fail_on)),
        list(_finding_groups(report.findings, style)),
        _review(report, style),
        list(render_listings(select_unsaid(report), style)),
        list(_unmodelled(report.unmodelled, style)),
        [] if report.problem else [_closing(report, style, fail_on)],
    )
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _review(report: Report, style: Style) -> list[str]:
    if "pull_request" not in report.data:
        return []
    from govern.reports.review_text import render_review  # few are about one

    return list(render_review(report, style))


def render_findings(findings: Iterable[Finding], style: Style | None = None) -> str:
    """Findings without a report around them, the gravest first, with a newline at its end."""
    return "\n".join(_finding_groups(findings, style or Style())) + "\n"


def render_problem(problem: Problem, style: Style | None = None) -> str:
    """The four sentences of an error, with a newline at its end."""
    style = style or Style()
    [first, *others] = style.indent(problem.what, first="error: ", rest="       ")
    lines = [style.paint("error:", "red", "bold") + first.removeprefix("error:"), *others]
    for label, text in (("why", problem.why), ("next", problem.next), ("state", problem.state)):
        lines += _labelled(label, text, style, indent="  ")
    return "\n".join(lines) + "\n"


def _headline(report: Report, style: Style) -> list[str]:
    title = f"govern {report.command}"
    parts = (title, *describe_target(report.target)) if report.target else (title,)
    [first, *others] = style.indent(" · ".join(parts), first="", rest="  ")
    return [style.paint(title, "bold") + first.removeprefix(title), *others]


def _entries(report: Report, style: Style, fail_on: Severity) -> Iterator[str]:
    column = min(max((len(entry.name) for entry in report.entries), default=0), _LARGEST_NAME_COLUMN)
    for entry in report.entries:
        sign, tone = _mark_of(entry, fail_on)
        said = describe_entry(entry)
        lead = f"{sign} {entry.name:<{column}}  "
        [first, *others] = style.indent(said, first=style.say(lead))
        yield style.paint(style.say(sign), tone) + first[1:].rstrip()
        yield from others


def _mark_of(entry: Entry, fail_on: Severity) -> tuple[str, Paint]:
    if entry.status == "found" and entry.findings:
        fails = any(finding.severity >= fail_on for finding in entry.findings)
        return _MARKS["found"] if fails else _HARMLESS_MARK
    return _MARKS[entry.status]


def _finding_groups(findings: Iterable[Finding], style: Style) -> Iterator[str]:
    """Findings of one rule stand together, the gravest first, and share what is the same for all of them."""
    for position, group in enumerate(group_findings(findings)):
        if position:
            yield ""
        tone = _TONES[group.severity]
        title = f"{style.paint(f'{group.severity.label}:', tone, 'bold')} {group.rule.id}"
        count = len(group.findings)
        yield title if count == 1 else f"{title}  {style.paint(f'({count})', 'dim')}"
        yield from _finding_group(group, style)


def _finding_group(group: Group, style: Style) -> Iterator[str]:
    shown = group.findings if group.severity > Severity.INFO else group.findings[:_MOST_NOTES]
    for finding in shown:
        yield from _finding(finding, style)
        if group.why is None:
            yield from _labelled("why", finding.why, style, indent="    ")
        if group.remedy is None:
            yield from _labelled("next", finding.remedy, style, indent="    ")
        yield from _fix(finding.fix, style)
    if hidden := len(group.findings) - len(shown):
        more = f"… and {hidden} more: --format json has them all"
        yield f"  {style.paint(style.say(more), 'dim')}"
    yield from _labelled("why", group.why or "", style, indent="  ")
    yield from _labelled("next", group.remedy or "", style, indent="  ")


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    title = style.say(str(finding.subject))
    place = say_place(finding)
    yield f"  {style.paint(title, 'bold')}" + (f"  {style.paint(style.say(place), 'dim')}" if place else "")
    yield from style.indent(say_message(finding), first="    ")


def _fix(fix: Fix | None, style: Style) -> Iterator[str]:
    if fix is None or not fix.sql:
        return
    remarks = ["proven on a copy" if fix.proven else "not proven"]
    if fix.loses_data:
        remarks.append("LOSES DATA")
    yield f"    {style.paint('sql:', 'cyan')}  -- {', '.join(remarks)}"
    for statement in fix.sql:
        # never wrapped: it is there to be copied
        yield from (f"      {line}" for line in style.say(terminate(statement)).splitlines())


def _labelled(label: str, text: str, style: Style, *, indent: str) -> list[str]:
    if not text:
        return []
    lead = f"{label}:".ljust(_LABEL_WIDTH)
    [first, *others] = style.indent(text, first=indent + lead)
    return [indent + style.paint(f"{label}:", "cyan") + first.removeprefix(f"{indent}{label}:"), *others]


def _unmodelled(kinds: tuple[str, ...], style: Style) -> Iterator[str]:
    if kinds:
        yield from style.indent(", ".join(kinds), first="not covered: ")


def _closing(report: Report, style: Style, fail_on: Severity) -> str:
    found = _HARMLESS_MARK if report.status == "found" else _MARKS["passed"]
    marks: dict[int, tuple[str, Paint]] = {EXIT_CLEAN: found, EXIT_FOUND: _MARKS["found"]}
    sign, tone = marks.get(report.exit_code(fail_on), _MARKS["skipped"])
    return style.paint(style.say(sign), tone, "bold") + " " + style.say(" · ".join(summarise(report)))
