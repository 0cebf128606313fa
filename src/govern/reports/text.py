"""A report for people: what was looked at, what was found, what to do. Each line can be read on its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from govern.core.finding import Finding, Fix, Severity
from govern.core.report import Entry, EntryStatus, Problem, Report, Target
from govern.core.wording import count_of
from govern.reports.listings import render_listings
from govern.reports.style import Style, Tone

_MARKS: dict[EntryStatus, tuple[str, Tone]] = {
    "passed": ("✓", "green"),
    "found": ("✗", "red"),
    "skipped": ("–", "yellow"),
    "crashed": ("!", "red"),
}
_TONES: dict[Severity, Tone] = {
    Severity.CRITICAL: "red",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.INFO: "cyan",
}
_DIALECTS = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
_EXPLANATIONS = frozenset({"rule", "rules"})
_LABEL_WIDTH = len("state: ")
_LARGEST_NAME_COLUMN = 28
_MOST_NOTES = 10
"""Of one rule's: what asks for nothing must not hide what does."""


def render(report: Report, style: Style | None = None) -> str:
    """The report but for its problem (``render_problem``), with a newline at its end.

    A command that was asked for a text (``govern snapshot``, ``govern explain``) yields nothing else.
    """
    style = style or Style()
    if isinstance(snapshot := report.data.get("snapshot"), str):
        return snapshot if snapshot.endswith("\n") else snapshot + "\n"
    if isinstance(diff := report.data.get("diff"), str):
        return diff
    if not _EXPLANATIONS.isdisjoint(report.data):
        return "\n".join(render_listings(report.data, style)) + "\n"
    parts = (
        _headline(report, style),
        list(_entries(report.entries, style)),
        list(_finding_groups(report.findings, style)),
        list(render_listings(_unsaid(report), style)),
        list(_unmodelled(report.unmodelled, style)),
        [] if report.problem else [_closing(report, style)],
    )
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


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


def _unsaid(report: Report) -> Mapping[str, Any]:
    """What is to be listed, but for a repair whose statements stand with their findings already."""
    is_said = any(finding.fix for finding in report.findings)
    return {name: value for name, value in report.data.items() if not (is_said and name == "repair")}


def _headline(report: Report, style: Style) -> list[str]:
    parts = [style.paint(f"govern {report.command}", "bold")]
    if report.target:
        parts += [style.say(part) for part in _target_facts(report.target)]
    return [style.say(" · ").join(parts)]


def _target_facts(target: Target) -> Iterator[str]:
    yield target.url if target.name == "default" else f"{target.name} {target.url}"
    if target.server_version:
        yield f"{_DIALECTS.get(target.dialect, target.dialect)} {target.server_version}"
    if target.revision is None:
        return
    at = f"at {', '.join(target.revision)}" if target.revision else "at no revision"
    if target.heads and set(target.revision) == set(target.heads):
        yield f"{at} (head)"
    elif target.heads:
        yield f"{at}, head is {', '.join(target.heads)}"
    else:
        yield at


def _entries(entries: Sequence[Entry], style: Style) -> Iterator[str]:
    column = min(max((len(entry.name) for entry in entries), default=0), _LARGEST_NAME_COLUMN)
    for entry in entries:
        sign, tone = _MARKS[entry.status]
        said = "; ".join(filter(None, (_count_findings(entry), entry.reason)))
        lead = f"{sign} {entry.name:<{column}}  "
        [first, *others] = style.indent(said, first=style.say(lead))
        yield style.paint(style.say(sign), tone) + first[1:].rstrip()
        yield from others


def _count_findings(entry: Entry) -> str:
    if entry.status == "crashed":
        return "crashed"
    return count_of(len(entry.findings), "finding") if entry.findings else ""


def _finding_groups(findings: Iterable[Finding], style: Style) -> Iterator[str]:
    """Findings of one rule stand together, the gravest first, and share what is the same for all of them."""
    ordered = sorted(findings, key=lambda finding: (-finding.severity, finding.rule.id))
    groups = itertools.groupby(ordered, key=lambda finding: (finding.severity, finding.rule.id))
    for position, ((severity, rule), members) in enumerate(groups):
        group = tuple(members)
        if position:
            yield ""
        tone = _TONES[severity]
        title = f"{style.paint(f'{severity.label}:', tone, 'bold')} {rule}"
        yield title if len(group) == 1 else f"{title}  {style.paint(f'({len(group)})', 'dim')}"
        yield from _finding_group(group, style)


def _finding_group(group: tuple[Finding, ...], style: Style) -> Iterator[str]:
    shared_why = _shared(finding.why for finding in group)
    shared_remedy = _shared(finding.remedy for finding in group)
    shown = group if group[0].severity > Severity.INFO else group[:_MOST_NOTES]
    for finding in shown:
        yield from _finding(finding, style)
        if shared_why is None:
            yield from _labelled("why", finding.why, style, indent="    ")
        if shared_remedy is None:
            yield from _labelled("next", finding.remedy, style, indent="    ")
        yield from _fix(finding.fix, style)
    if len(shown) < len(group):
        more = f"… and {len(group) - len(shown)} more: --format json has them all"
        yield f"  {style.paint(style.say(more), 'dim')}"
    yield from _labelled("why", shared_why or "", style, indent="  ")
    yield from _labelled("next", shared_remedy or "", style, indent="  ")


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    title = style.say(str(finding.subject))
    place = None if finding.subject.location == finding.subject.name else finding.subject.location
    yield f"  {style.paint(title, 'bold')}" + (f"  {style.paint(style.say(place), 'dim')}" if place else "")
    # messages stand alone elsewhere; here the line above has said what they are about
    message = finding.message.removeprefix(str(finding.subject)).lstrip(": ")
    yield from style.indent(message, first="    ")


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


def terminate(statement: str) -> str:
    """The statement with one semicolon at its end, ready to paste."""
    return statement.rstrip().rstrip(";") + ";"


def _labelled(label: str, text: str, style: Style, *, indent: str) -> list[str]:
    if not text:
        return []
    lead = f"{label}:".ljust(_LABEL_WIDTH)
    [first, *others] = style.indent(text, first=indent + lead)
    return [indent + style.paint(f"{label}:", "cyan") + first.removeprefix(f"{indent}{label}:"), *others]


def _unmodelled(kinds: tuple[str, ...], style: Style) -> Iterator[str]:
    if kinds:
        yield from style.indent(", ".join(kinds), first="not covered: ")


def _closing(report: Report, style: Style) -> str:
    marks: dict[str, tuple[str, Tone]] = {"clean": ("✓", "green"), "found": ("✗", "red")}
    sign, tone = marks.get(report.status, ("–", "yellow"))
    return style.paint(style.say(sign), tone, "bold") + " " + style.say(" · ".join(_closing_facts(report)))


def _closing_facts(report: Report) -> Iterator[str]:
    if not report.entries:
        yield "nothing was checked"
    found = [(report.count(severity), severity.label) for severity in reversed(Severity)]
    if any(count for count, _ in found):
        yield ", ".join(count_findings(count, label) for count, label in found if count)
    undecided = sum(entry.is_undecided for entry in report.entries)
    if undecided:
        yield f"{undecided} undecided"
    if report.entries:
        passed = sum(entry.status == "passed" for entry in report.entries)
        yield f"{passed} of {len(report.entries)} passed"
    yield f"{report.duration_ms / 1000:.2f} s"


def count_findings(count: int, label: str) -> str:
    """``2 errors``, ``1 critical``, ``3 info``."""
    return count_of(count, label) if label in ("error", "warning") else f"{count} {label}"


def _shared(texts: Iterable[str]) -> str | None:
    """The one text that all have; None if they differ."""
    distinct = set(texts)
    return distinct.pop() if len(distinct) == 1 else None
