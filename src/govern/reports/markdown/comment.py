"""A report as one comment: what it comes to, what was looked at, what was found and what to do, statements folded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from govern.core.finding import Finding, Fix, Severity
from govern.core.report import Entry, EntryStatus, Problem, Report, ReportStatus
from govern.core.wording import count_of
from govern.reports.grouping import Group, group_findings, say_message, say_place
from govern.reports.listings import render_listings, select_unsaid
from govern.reports.markdown.fitting import Part, fit, fit_items
from govern.reports.markdown.review import tell_review
from govern.reports.markdown.syntax import (
    TONE_SIGNS,
    block,
    code,
    details,
    escape,
    escape_lines,
    in_html,
    say,
    table,
)
from govern.reports.statements import write_script
from govern.reports.style import Style
from govern.reports.summary import count_findings, describe_entry, describe_target, say_headline, summarise
from govern.reports.tones import SEVERITY_TONES, find_tone

_STATUS_SIGNS: dict[ReportStatus | EntryStatus, str] = {
    "clean": "✅",
    "passed": "✅",
    "refused": "⛔",
    "failed": "❌",
    "crashed": "❗",
    "undecided": "❔",
    "skipped": "➖",
}
_LONGEST_GROUP = 12_000
_LONGEST_STATEMENTS = 4_000
_LONGEST_SENTENCE = 2_000


def render(report: Report, *, fail_on: Severity = Severity.ERROR) -> str:
    """The report with a newline at its end. Its first line is no part of what is seen: it finds the comment again."""
    return fit([Part(mark(report)), *_parts(report, fail_on)])


def mark(report: Report) -> str:
    """``<!-- govern: check -->``: the comment that this one takes the place of begins with it, too."""
    target = report.target.name if report.target and "pull_request" not in report.data else "default"
    named = report.command if target == "default" else f"{report.command} {target}"
    return f"<!-- govern: {re.sub('-{2,}', '-', re.sub(r'[^a-zA-Z0-9_. ]+', '-', named))} -->"


def sign_of(ended: Report | Entry, fail_on: Severity) -> str:
    """What has found nothing that fails the command does not look like what has."""
    return TONE_SIGNS[find_tone(ended, fail_on)] if ended.status == "found" else _STATUS_SIGNS[ended.status]


def _parts(report: Report, fail_on: Severity) -> Iterator[Part]:
    """The parts of the comment, in the order in which they are read."""
    yield Part(f"## {sign_of(report, fail_on)} {escape(say_headline(report))}")
    if report.target is not None:
        yield Part(" · ".join(code(fact) for fact in describe_target(report.target)))
    if report.problem is not None:
        yield Part(tell_problem(report.problem))
    yield from tell_review(report)
    if report.data.get("notation") == "mermaid":
        yield Part(block(report.data["diagram"], "mermaid"), "the picture")
    if report.entries:
        yield Part(list_entries(report, fail_on), "what was looked at")
    for group in group_findings(report.findings):
        yield Part(tell_group(group), group.rule.id)
    unsaid = {name: value for name, value in select_unsaid(report).items() if name != "pull_request"}
    listed = "\n".join(render_listings(unsaid, Style()))
    if listed.strip():
        yield Part(details("More", block(listed)), "what was listed")
    if report.unmodelled:
        yield Part(f"Not covered: {escape(', '.join(report.unmodelled))}", "what is not covered")
    yield Part(f"<sub>{escape(' · '.join(summarise(report)))}</sub>")


def tell_problem(problem: Problem) -> str:
    """The four sentences of an error, as an alert."""
    sentences = (("why", problem.why), ("next", problem.next), ("state", problem.state))
    said = [f"**{escape_lines(_shorten(problem.what))}**"]
    said += [f"**{label}:** {escape_lines(_shorten(text))}" for label, text in sentences if text]
    return "\n".join(["> [!CAUTION]", "> " + "<br>".join(said)])


def list_entries(report: Report, fail_on: Severity) -> str:
    """What was looked at, and how each ended; what has passed is folded."""
    passed = [entry for entry in report.entries if entry.status == "passed"]
    rest = [entry for entry in report.entries if entry.status != "passed"]
    told = [_table_of(rest, fail_on)] if rest else []
    if passed:
        told.append(details(f"✅ {count_of(len(passed), 'check')} passed", _table_of(passed, fail_on)))
    return "\n\n".join(told)


def _table_of(entries: Sequence[Entry], fail_on: Severity) -> str:
    rows = [
        (sign_of(entry, fail_on), escape(entry.name), escape_lines(_shorten(describe_entry(entry))))
        for entry in entries
    ]
    return table(("", "check", "result"), rows)


def tell_group(group: Group) -> str:
    """Findings of one rule below a line that opens them; errors are open."""
    count = count_findings(len(group.findings), group.severity.label)
    sign = TONE_SIGNS[SEVERITY_TONES[group.severity]]
    summary = f"{sign} <b>{in_html(group.rule.id)}</b>: {in_html(group.rule.name)} ({count})"
    shared = [
        say(label, _shorten(text)) for label, text in (("Why", group.why), ("Next", group.remedy)) if text
    ]
    items = fit_items([_tell_finding(finding, group) for finding in group.findings], longest=_LONGEST_GROUP)
    return details(summary, items, *shared, is_open=group.severity >= Severity.ERROR)


def _tell_finding(finding: Finding, group: Group) -> str:
    place = say_place(finding)
    head = f"- **{escape(str(finding.subject))}**" + (f" at {code(place)}" if place else "")
    told = [f"{head}<br>{escape_lines(_shorten(say_message(finding)))}"]
    if group.why is None and finding.why:
        told.append(say("Why", _shorten(finding.why)))
    if group.remedy is None and finding.remedy:
        told.append(say("Next", _shorten(finding.remedy)))
    if finding.fix and finding.fix.sql:
        told.append(tell_fix(finding.fix))
    return "\n\n".join(told)


def tell_fix(fix: Fix) -> str:
    """Statements to copy, folded, with what is known of them."""
    known = "proven on a copy" if fix.proven else "not proven"
    loses = ", <b>loses data</b>" if fix.loses_data else ""
    sql = write_script(fix.sql)
    if len(sql) > _LONGEST_STATEMENTS:
        return f"SQL ({known}{loses}) of {len(sql):,} characters: in the report as text or JSON."
    return details(f"SQL ({known}{loses})", block(sql, "sql"))


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_SENTENCE else f"{text[:_LONGEST_SENTENCE]}…"
