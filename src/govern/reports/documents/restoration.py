"""The page of an incident: how the database was and is, what was done, from which backups, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from govern.core.document import Block, Cell, Code, Document, Facts, Section, Sentence, Table, Tone
from govern.core.history import Answers, Incident
from govern.core.monitoring import Event
from govern.core.report import Report
from govern.core.run import Run
from govern.core.wording import count_of, name_seconds
from govern.reports.documents.endpoints import compare_endpoints, judge_sequences, tell_answers
from govern.reports.documents.wording import (
    RESULT_TONES,
    describe_run,
    list_backups,
    list_findings,
    say_moment,
    say_time,
    say_took,
    tell_look,
)
from govern.reports.statements import write_script
from govern.reports.tones import SEVERITY_TONES

_LOOKS = (
    ("health", "The database"),
    ("drift", "Its schema"),
    ("integrity", "Its rows"),
)
_EVENTS: Mapping[str, tuple[Tone, str]] = {
    "fixed": ("good", "the monitor fixed"),
    "fix-failed": ("bad", "a fix failed"),
    "rolled-back": ("notice", "taken back"),
    "rollback-failed": ("bad", "could not be taken back"),
    "paged": ("bad", "a person was called"),
    "stop": ("quiet", "the monitor was stopped"),
    "start": ("quiet", "the monitor was started"),
}
"""What a timeline has of the monitor."""
_MENDING = ("restore", "repair")
"""How commands begin that bring something back."""
_DONE = ("fixed", "fix-failed", "rolled-back")
_LONGEST = 200
_MOST_STATEMENTS = 30

Step = tuple[datetime, Cell, str]
"""Of a timeline: when, of what kind, and what."""


def tell_restoration(incident: Incident) -> Document:
    """All that is known of it."""
    before, after = choose_answers(incident)
    past = incident.past
    return Document(
        title="Restoration report",
        lead=f"{_name_target(incident)} · {say_moment(past.since)} to {say_moment(past.until)}",
        verdict=tuple(_judge(incident, after)),
        sections=tuple(
            Section(title=title, blocks=blocks)
            for title, blocks in (
                ("The database, before and after", tuple(_compare(incident))),
                ("What is still wrong", _list_wrong(incident)),
                ("What was done", tuple(_list_runs(incident))),
                ("The backups that were used", tuple(_list_used(incident))),
                ("The application, before and after", compare_endpoints(before, after)),
                ("What the monitor had found", tuple(_list_issues(incident))),
                ("In order", tuple(_tell_times(incident))),
                ("What is not known", tuple(_list_unknown(incident, before))),
            )
            if blocks
        ),
    )


def choose_answers(incident: Incident) -> tuple[Answers | None, Answers | None]:
    """How the application answered before anything was brought back, or in a file that was given; and at last."""
    past = incident.past
    given = [answers for one in incident.before if (answers := one.answers) is not None]
    mending = [run for run in past.runs if run.command.startswith(_MENDING)] or past.runs
    first = mending[0].started_at if mending else past.until
    last = max((run.started_at for run in past.runs), default=past.since)
    earlier = [one for one in past.answers if one.at < first]
    before = given[-1] if given else earlier[-1] if earlier else None
    later = [one for one in past.answers if one.at >= last and (before is None or one.at > before.at)]
    return before, later[-1] if later else _read_monitors(incident, last)


def _read_monitors(incident: Incident, last: datetime) -> Answers | None:
    """What the application told the monitor after the last run: without its requests, which that does not keep."""
    probed = incident.present.probed
    if probed is None or probed.at < last:
        return None
    return Answers(at=probed.at, by=probed.by, proofs=tuple(one.to_json() for one in probed.sequences))


def _name_target(incident: Incident) -> str:
    target = incident.present.target
    return target.url if target else "a database that does not answer"


def _judge(incident: Incident, after: Answers | None) -> Iterator[Sentence]:
    for command, name in _LOOKS:
        yield tell_look(f"{name} now", incident.present.looks.get(command))
    yield tell_answers("The application now", after)
    changed = [run for run in incident.past.runs if run.result in ("applied", "restored", "unhealthy")]
    if not incident.past.runs:
        yield Sentence(
            tone="notice", word="Nothing", text="was done in this time, as far as anybody wrote down"
        )
    else:
        text = f"{count_of(len(changed), 'run')} of {len(incident.past.runs)} changed the database"
        yield Sentence(tone="quiet", word="Done", text=text)


def _compare(incident: Incident) -> Iterator[Block]:
    """What a report before said of the database, beside what it says now."""
    saved = {one.report.command: one for one in incident.before}
    one = saved.get("health")
    old, new = _read_health(one.report if one else None), _read_health(incident.present.looks.get("health"))
    names = list(dict.fromkeys((*new, *old)))
    rows = [(Cell(text=name), _say_side(old, name), _say_side(new, name)) for name in names]
    for command, name in _LOOKS[1:]:
        rows.append(
            (
                Cell(text=f"{name}: findings"),
                _say_look(saved[command].report if command in saved else None),
                _say_look(incident.present.looks.get(command)),
            )
        )
    told = (
        f"Before: {one.path}, of {say_moment(one.report.started_at)}. "
        if one
        else "Before: nobody kept a report of it. "
    )
    caption = f"{told}After: {say_moment(incident.present.at)}."
    yield Table(titles=("What", "Before", "After"), rows=tuple(rows), caption=caption)


def _read_health(report: Report | None) -> dict[str, str]:
    return _flatten(report.data.get("health")) if report else {}


def _flatten(health: Any) -> dict[str, str]:
    """The document of ``/health`` as lines of a table."""
    if not isinstance(health, Mapping):
        return {}
    database = health.get("database", {})
    revision = database.get("revision") or "none"
    said = {
        "Health": f"{health.get('status')}: {health.get('message')}",
        "Schema as declared": "yes" if database.get("schema_valid") else "no",
        "Revision": str(revision),
        "Missing tables": ", ".join(database.get("missing_tables", ())) or "none",
    }
    estimated = database.get("estimated_counts", ())
    counts = database.get("table_counts", {}).items()
    return said | {
        f"Rows of {table}": "not known"
        if rows is None
        else f"{'about ' if table in estimated else ''}{rows:,}"
        for table, rows in counts
    }


def _say_side(side: Mapping[str, str], name: str) -> Cell:
    if name not in side:
        return Cell(text="not known", tone="notice" if not side else None)
    text = side[name]
    good = {
        "Health": text.startswith("healthy"),
        "Schema as declared": text == "yes",
        "Missing tables": text == "none",
    }
    tone: Tone | None = None if name not in good else "good" if good[name] else "bad"
    return Cell(text=text, tone=tone)


def _say_look(report: Report | None) -> Cell:
    if report is None or report.problem is not None:
        return Cell(text="not known", tone="notice")
    found, is_decided = len(tuple(report.findings)), report.status in ("clean", "found")
    undecided = "" if is_decided else ", and not all could be looked at"
    if found:
        return Cell(text=f"{found:,}{undecided}", tone="bad")
    return Cell(text=f"none{undecided}", tone="good" if is_decided else "notice")


def _list_wrong(incident: Incident) -> tuple[Block, ...]:
    findings = {
        finding.key: finding
        for command, _ in _LOOKS
        if (report := incident.present.looks.get(command)) is not None
        for finding in report.findings
    }
    if findings:
        return list_findings(findings.values())
    if any(tell_look(name, incident.present.looks.get(command)).tone == "notice" for command, name in _LOOKS):
        return (Sentence(tone="notice", word="Not known", text="not everything could be looked at"),)
    return (Sentence(tone="good", word="Nothing", text="is wrong that health, drift and integrity look at"),)


def _list_runs(incident: Incident) -> Iterator[Block]:
    past = incident.past
    if not past.runs:
        yield Sentence(tone="notice", word="Nothing", text="stands in the ledger for this time")
        return
    askers = {event.run: event.actor for event in past.events if event.run and event.kind in _DONE}
    yield Table(
        titles=("Began", "Run", "Command", "By", "Ended", "Took", "What"),
        rows=tuple(
            _list_run(run, for_whom=askers.get(run.id), is_lost=run.id in past.only_in_file)
            for run in past.runs
        ),
    )
    yield from (_show_statements(run) for run in past.runs if run.statements)


def _list_run(run: Run, *, for_whom: str | None, is_lost: bool) -> tuple[Cell, ...]:
    """``for_whom``: who asked the monitor for it, or the monitor itself."""
    remark = (
        "; only .govern/history.jsonl knows of it: the database was put back to before it" if is_lost else ""
    )
    backup = f"; backup before: {run.backup}" if run.backup else ""
    return (
        Cell(text=say_time(run.started_at)),
        Cell(text=run.id, is_code=True),
        Cell(text=run.command),
        Cell(text=f"{run.actor}, for {for_whom}" if for_whom else run.actor, is_code=True),
        Cell(text=run.result, tone=RESULT_TONES[run.result]),
        Cell(text=say_took(run), is_number=True),
        Cell(text=f"{describe_run(run)}{backup}{remark}"),
    )


def _show_statements(run: Run) -> Code:
    left = len(run.statements) - _MOST_STATEMENTS
    more = f"; {left} more are left out" if left > 0 else ""
    script = write_script(run.statements[:_MOST_STATEMENTS])
    return Code(text=script, language="sql", caption=f"The run {run.id} ran{more}:")


def _list_used(incident: Incident) -> Iterator[Block]:
    if not incident.used:
        yield Sentence(tone="quiet", word="None", text="was taken or restored by what is written down")
        return
    restored = {run.restored_from for run in incident.past.runs if run.restored_from}
    sources = [(name, incident.used[name]) for name in incident.used if name in restored]
    safety = [(name, incident.used[name]) for name in incident.used if name not in restored]
    if sources:
        yield list_backups(sources, "Rows or all of the database were taken from these.")
    if safety:
        yield list_backups(safety, "These were taken before a change, to go back to.")


def _list_issues(incident: Incident) -> Iterator[Block]:
    issues = sorted(incident.past.issues, key=lambda issue: (issue.first_seen, issue.subject))
    if not issues:
        return
    yield Table(
        titles=("First seen", "Last seen", "Severity", "What", "Was", "Now"),
        rows=tuple(
            (
                Cell(text=say_time(issue.first_seen)),
                Cell(text=say_time(issue.last_seen)),
                Cell(text=issue.severity.label, tone=SEVERITY_TONES[issue.severity]),
                Cell(text=issue.subject, is_code=True),
                Cell(text=issue.current_state),
                Cell(text="gone", tone="good")
                if issue.state == "resolved"
                else Cell(text="there", tone="bad"),
            )
            for issue in issues
        ),
    )


def _tell_times(incident: Incident) -> Iterator[Block]:
    steps = _gather(sorted(_list_steps(incident), key=lambda step: step[0]))
    if not steps:
        return
    seen = [issue.first_seen for issue in incident.past.issues if issue.first_seen >= incident.past.since]
    began, ended = min(seen, default=steps[0][0]), steps[-1][0]
    work = sum(
        (run.finished_at - run.started_at).total_seconds() for run in incident.past.runs if run.finished_at
    )
    yield Facts(
        pairs=(
            ("First sign" if seen else "First step", say_moment(began)),
            ("Last step", say_moment(ended)),
            ("Between them", name_seconds((ended - began).total_seconds())),
            ("Runs took", name_seconds(work)),
        )
    )
    yield Table(
        titles=("When", "What", ""),
        rows=tuple((Cell(text=say_time(at)), cell, Cell(text=text)) for at, cell, text in steps),
    )


def _gather(steps: list[Step]) -> list[Step]:
    """What happened in the same second, and is of one kind, in one line."""
    gathered: list[Step] = []
    for at, cell, text in steps:
        if gathered and gathered[-1][1] == cell and say_time(gathered[-1][0]) == say_time(at):
            gathered[-1] = at, cell, f"{gathered[-1][2]}; {text}"
        else:
            gathered.append((at, cell, text))
    return gathered


def _list_steps(incident: Incident) -> Iterator[Step]:
    past = incident.past
    for issue in past.issues:
        if issue.first_seen >= past.since:
            seen = Cell(text="seen", tone=SEVERITY_TONES[issue.severity])
            yield issue.first_seen, seen, f"{issue.subject}: {issue.current_state}"
        if issue.state == "resolved":
            yield issue.last_seen, Cell(text="gone", tone="good"), issue.subject
    for run in past.runs:
        yield run.started_at, Cell(text=f"{run.command} began"), f"run {run.id}, by {run.actor}"
        if run.finished_at:
            ended = Cell(text=f"{run.command} ended: {run.result}", tone=RESULT_TONES[run.result])
            yield run.finished_at, ended, _shorten(describe_run(run))
    for event in past.events:
        if event.kind in _EVENTS:
            tone, word = _EVENTS[event.kind]
            yield event.at, Cell(text=word, tone=tone), _describe_event(event)
    for answers in past.answers:
        tone, said = judge_sequences(answers.ended)
        yield answers.at, Cell(text="the application was asked", tone=tone), f"{said}; by {answers.by}"


def _describe_event(event: Event) -> str:
    run = f"run {event.run}" if event.run else ""
    return _shorten("; ".join(filter(None, (event.subject, run, event.detail, f"by {event.actor}"))))


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _list_unknown(incident: Incident, before: Answers | None) -> Iterator[Sentence]:
    unknown = [*incident.past.unknown, *incident.present.unknown]
    if not any(one.report.command == "health" for one in incident.before):
        unknown.append(
            "how the database was before: nobody kept a report; govern health --format json writes one"
        )
    if before is None:
        unknown.append("how the application answered before: nobody asked it, or kept what it said")
    if not incident.past.issues and not incident.past.events:
        unknown.append("when it broke: no monitor had looked, or what it saw is forgotten")
    for text in dict.fromkeys(unknown):
        yield Sentence(tone="notice", word="Not known", text=text)
