"""A report as one comment: what it comes to, a line for each thing that was found, the rest folded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

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
from govern.reports.review import tells
from govern.reports.statements import write_script
from govern.reports.style import Style
from govern.reports.summary import count_findings, describe_entry, describe_target, say_headline
from govern.reports.tones import SEVERITY_TONES, find_tone
from govern.version import __version__

_STATUS_SIGNS: dict[ReportStatus | EntryStatus, str] = {
    "clean": "✅",
    "passed": "✅",
    "refused": "⛔",
    "failed": "❌",
    "crashed": "❗",
    "undecided": "❔",
    "skipped": "➖",
}
_GROUP_RANK, _ENTRIES_RANK, _MORE_RANK = 1, 2, 4
_MOST_APART = 5
"""Findings of one rule with their statements below each; of more the statements stand together."""
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
    """The parts of the comment, in the order in which they are read: what fails, what it does, what was looked at."""
    groups = tuple(group_findings(report.findings))
    yield Part(f"## {sign_of(report, fail_on)} {escape(say_headline(report))}")
    if report.target is not None and "pull_request" not in report.data:
        yield Part(" · ".join(code(fact) for fact in describe_target(report.target)))
    if report.problem is not None:
        yield Part(tell_problem(report.problem))
    if undecided := [entry for entry in report.entries if entry.is_undecided and not tells(report, entry)]:
        yield Part(_table_of(undecided, fail_on), "what could not be checked")
    failing = sum(group.severity >= fail_on for group in groups)
    for group in groups:
        is_open = failing == 1 and group.severity >= fail_on
        yield Part(tell_group(group, is_open=is_open), group.rule.id, _GROUP_RANK)
    yield from tell_review(report)
    if report.data.get("notation") == "mermaid":
        yield Part(block(report.data["diagram"], "mermaid"), "the picture")
    if decided := [entry for entry in report.entries if not entry.is_undecided]:
        yield Part(list_entries(decided, fail_on), "what was looked at", _ENTRIES_RANK)
    yield from _list_more(report)
    yield Part(f"<sub>{escape(' · '.join(_say_end(report)))}</sub>")


def _list_more(report: Report) -> Iterator[Part]:
    listed = "\n".join(render_listings(select_unsaid(report), Style()))
    if listed.strip():
        yield Part(details("More", block(listed)), "what was listed", _MORE_RANK)
    if report.unmodelled:
        yield Part(f"Not covered: {escape(', '.join(report.unmodelled))}", "what is not covered", _MORE_RANK)


def _say_end(report: Report) -> Iterator[str]:
    """What is small enough to stand below: how long it took, and how to see the same elsewhere."""
    if not report.entries:
        yield "nothing was checked"
    yield f"{report.duration_ms / 1000:.2f} s"
    yield f"govern {__version__}"
    if review := report.data.get("pull_request"):
        where = f" --environment {review['environment']}" if review["environment"] else ""
        yield f"the same on your machine: govern {report.command} --against-ref {review['against']}{where}"


def tell_problem(problem: Problem) -> str:
    """The four sentences of an error, as an alert."""
    sentences = (("why", problem.why), ("next", problem.next), ("state", problem.state))
    said = [f"**{escape_lines(_shorten(problem.what))}**"]
    said += [f"**{label}:** {escape_lines(_shorten(text))}" for label, text in sentences if text]
    return "\n".join(["> [!CAUTION]", "> " + "<br>".join(said)])


def list_entries(entries: Sequence[Entry], fail_on: Severity) -> str:
    """What was looked at, folded, with what did not pass on top."""
    passed = [entry for entry in entries if entry.status == "passed"]
    rest = [entry for entry in entries if entry.status != "passed"]
    counted = (
        f"{len(passed)} of {count_of(len(entries), 'check')} passed" if rest else _say_passed(len(passed))
    )
    return details(counted, _table_of([*rest, *passed], fail_on))


def _say_passed(count: int) -> str:
    return f"✅ {count_of(count, 'check')} passed"


def _table_of(entries: Sequence[Entry], fail_on: Severity) -> str:
    rows = [
        (sign_of(entry, fail_on), escape(entry.name), escape_lines(_shorten(describe_entry(entry))))
        for entry in entries
    ]
    return table(("", "check", "result"), rows)


def tell_group(group: Group, *, is_open: bool = False) -> str:
    """Findings of one rule below the line that names them and opens them."""
    sign = TONE_SIGNS[SEVERITY_TONES[group.severity]]
    count = len(group.findings)
    counted = f" ({count_findings(count, group.severity.label)})" if count > 1 else ""
    summary = (
        f"{sign} <b>{in_html(group.rule.name)}</b>: {in_html(group.subjects)}{counted}"
        f" <code>{in_html(group.rule.id)}</code>"
    )
    return details(summary, *_tell_findings(group), is_open=is_open)


def _tell_findings(group: Group) -> Iterator[str]:
    """A single one needs no list: the line above has its subject."""
    shared = [
        say(label, _shorten(text)) for label, text in (("Why", group.why), ("Next", group.remedy)) if text
    ]
    if len(group.findings) == 1:
        [finding] = group.findings
        place = say_place(finding)
        said = escape_lines(_shorten(finding.message))
        yield f"{code(place)}<br>{said}" if place else said
        yield from shared
        yield from _tell_fix(finding)
    elif len(group.findings) > _MOST_APART and (fix := _join_fixes(group)) is not None:
        lines = [_tell_finding(replace(finding, fix=None), group) for finding in group.findings]
        yield fit_items(lines, longest=_LONGEST_GROUP, gap="\n")
        yield from shared
        if fix.sql:
            yield tell_fix(fix)
    else:
        yield fit_items([_tell_finding(finding, group) for finding in group.findings], longest=_LONGEST_GROUP)
        yield from shared


def _join_fixes(group: Group) -> Fix | None:
    """All of their statements, where there is nothing else to be said of each."""
    fixes = [finding.fix for finding in group.findings]
    if group.why is None or group.remedy is None:
        return None
    if len({(fix.proven, fix.loses_data) if fix else None for fix in fixes}) != 1:
        return None
    statements = [statement for fix in fixes if fix for statement in fix.sql]
    return replace(fixes[0], sql=tuple(dict.fromkeys(statements))) if fixes[0] else Fix(sql=())


def _tell_finding(finding: Finding, group: Group) -> str:
    place = say_place(finding)
    head = f"- **{escape(str(finding.subject))}**" + (f" at {code(place)}" if place else "")
    told = [f"{head}<br>{escape_lines(_shorten(say_message(finding)))}"]
    if group.why is None and finding.why:
        told.append(say("Why", _shorten(finding.why)))
    if group.remedy is None and finding.remedy:
        told.append(say("Next", _shorten(finding.remedy)))
    return "\n\n".join([*told, *_tell_fix(finding)])


def _tell_fix(finding: Finding) -> Iterator[str]:
    if finding.fix and finding.fix.sql:
        yield tell_fix(finding.fix)


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
