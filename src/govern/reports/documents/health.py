"""The page of how a database is now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from govern.core.document import Block, Cell, Document, Facts, Picture, Section, Sentence, Table, Tone
from govern.core.history import Present
from govern.core.wording import count_of, name_age, name_duration
from govern.reports.documents.endpoints import tell_sequences
from govern.reports.documents.wording import (
    list_backups,
    list_findings,
    say_moment,
    say_status,
    say_time,
    tell_look,
)
from govern.reports.summary import name_server
from govern.reports.tones import SEVERITY_TONES

_MOST_BACKUPS = 10
_TONES: Mapping[str, Tone] = {"healthy": "good", "degraded": "notice", "critical": "bad"}


def tell_health(present: Present) -> Document:
    """All that is known of it."""
    target = present.target
    return Document(
        title="Database health",
        lead=f"{target.url if target else 'a database that does not answer'} · {say_moment(present.at)}",
        verdict=tuple(_judge(present)),
        sections=tuple(
            Section(title=title, blocks=blocks)
            for title, blocks in (
                ("The database", tuple(_tell_database(present))),
                ("Its schema", _tell("drift", present)),
                ("Its rows", _tell("integrity", present)),
                ("Backups", tuple(_tell_backups(present))),
                ("The application", tuple(_tell_application(present))),
                ("The monitor", tuple(_tell_monitor(present))),
                ("The critical tables", tuple(_draw(present))),
                ("What is not known", tuple(_list_unknown(present))),
            )
            if blocks
        ),
    )


def _health_of(present: Present) -> dict[str, Any]:
    report = present.looks.get("health")
    return dict(report.data.get("health", {})) if report else {}


def _judge(present: Present) -> Iterator[Sentence]:
    health = _health_of(present)
    if health:
        tone = _TONES.get(health["status"], "notice")
        yield Sentence(tone=tone, word=health["status"].capitalize(), text=health["message"])
    else:
        yield tell_look("The database", present.looks.get("health"))
    yield tell_look("Its schema", present.looks.get("drift"))
    yield tell_look("Its rows", present.looks.get("integrity"))
    if present.pending:
        text = f"{count_of(len(present.pending), 'revision')} to be applied: govern plan"
        yield Sentence(tone="notice", word="Pending", text=text)
    if probed := present.probed:
        ended = {one.name: one.status for one in probed.sequences}
        yield tell_sequences("The application", ended, probed.at)


def _tell_database(present: Present) -> Iterator[Block]:
    target, database = present.target, _health_of(present).get("database", {})
    if target is not None:
        at = ", ".join(target.revision) if target.revision else "none"
        yield Facts(
            pairs=(
                ("Target", target.name),
                ("Server", name_server(target)),
                ("At revision", at),
                ("Head", ", ".join(target.heads) or "none"),
                ("Pending", ", ".join(present.pending) or "nothing"),
            )
        )
    counts, estimated = database.get("table_counts", {}), database.get("estimated_counts", ())
    rows = [
        (
            Cell(text=name, is_code=True),
            Cell(text=_say_rows(count, is_estimate=name in estimated)),
        )
        for name, count in counts.items()
    ]
    rows += [
        (Cell(text=name, is_code=True), Cell(text="missing", tone="bad"))
        for name in database.get("missing_tables", ())
        if name not in counts
    ]
    if rows:
        yield Table(titles=("Critical table", "Rows"), rows=tuple(rows))


def _say_rows(count: int | None, is_estimate: bool) -> str:
    return "not known" if count is None else f"{'about ' if is_estimate else ''}{count:,}"


def _tell(command: str, present: Present) -> tuple[Block, ...]:
    report = present.looks.get(command)
    told = tell_look(f"govern {command}", report)
    return told, *list_findings(report.findings if report else ())


def _tell_backups(present: Present) -> Iterator[Block]:
    if not present.backups:
        text = "on this machine: nothing here would bring the data back"
        yield Sentence(tone="bad", word="None", text=text)
        return
    newest = present.backups[0]
    age = name_age((present.at - newest.created_at).total_seconds())
    if newest.is_proven:
        yield Sentence(tone="good", word="Proven", text=f"the newest was made {age}")
    else:
        yield Sentence(tone="notice", word="Not proven", text=f"the newest was made {age}")
    shown = [(manifest.id, manifest) for manifest in present.backups[:_MOST_BACKUPS]]
    left = len(present.backups) - len(shown)
    yield list_backups(shown, f"The newest; {count_of(left, 'older one')} not shown." if left else "")


def _tell_application(present: Present) -> Iterator[Block]:
    if present.probed is None:
        yield Sentence(
            tone="notice", word="Not known", text="nobody asked it: declare probes, and let the monitor ask"
        )
        return
    yield Table(
        titles=("Sequence", "Result", "Findings", "Took"),
        rows=tuple(
            (
                Cell(text=one.name),
                say_status(one.status),
                Cell(text=str(one.findings), is_number=True),
                Cell(text=name_duration(one.seconds), is_number=True),
            )
            for one in present.probed.sequences
        ),
        caption=f"Asked {say_moment(present.probed.at)}, by {present.probed.by}.",
    )


def _tell_monitor(present: Present) -> Iterator[Block]:
    status = present.status
    if status is None or status.last_check is None:
        text = "no monitor ever looked at this database: govern monitor run"
        yield Sentence(tone="notice", word="Never", text=text)
        return
    text = f"looked {say_moment(status.last_check)}{f'; {status.trouble}' if status.trouble else ''}"
    yield Sentence(tone=_TONES.get(status.health, "notice"), word=status.health.capitalize(), text=text)
    if present.issues:
        yield Table(
            titles=("Severity", "What", "Is", "Since"),
            rows=tuple(
                (
                    Cell(text=issue.severity.label, tone=SEVERITY_TONES[issue.severity]),
                    Cell(text=issue.subject, is_code=True),
                    Cell(text=issue.current_state),
                    Cell(text=say_time(issue.first_seen)),
                )
                for issue in present.issues
            ),
        )


def _draw(present: Present) -> Iterator[Block]:
    if present.picture is not None:
        text = "The picture is in the HTML form, and on the monitor's page."
        yield Picture(svg=present.picture, text=text)


def _list_unknown(present: Present) -> Iterator[Sentence]:
    for text in present.unknown:
        yield Sentence(tone="notice", word="Not known", text=text)
