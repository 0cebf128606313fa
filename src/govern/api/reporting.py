"""Pages for people: how a database is, what a migration did, what became of an incident. Only looks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from govern.api.command import Narrate, command, silent
from govern.api.looking_back import find_run, find_used, read_past, read_saved
from govern.api.looking_now import look_now, open_ledger
from govern.config import Settings
from govern.core.document import Document
from govern.core.history import Incident, Migrated, Present
from govern.core.report import Draft, Entry
from govern.core.wording import count_of
from govern.reports.documents.health import tell_health
from govern.reports.documents.migration import tell_migration
from govern.reports.documents.restoration import tell_restoration


@command("report health")
def report_health(draft: Draft, settings: Settings, *, narrate: Narrate = silent) -> None:
    """How the database is now; the report's ``document`` is the page. What cannot be looked at is said on it."""
    present = look_now(settings, narrate=narrate)
    _tell(draft, tell_health(present), present)


@command("report migration")
def report_migration(draft: Draft, settings: Settings, *, run: str | None = None) -> None:
    """What a migration did, as the ledger has it; ``run``: its id, else the newest.

    Raises ConfigurationError where there is no such run, CouldNotCheck where the ledger cannot be read.
    """
    ledger = open_ledger(settings)
    found = find_run(settings, ledger.runs, run)
    used = find_used(settings, (found,))
    backup = used.get(found.backup) if found.backup else None
    draft.target = ledger.target
    _publish(draft, tell_migration(Migrated(target=ledger.target, run=found, backup=backup)))
    draft.passed("ledger", f"run {found.id}")


@command("report restoration")
def report_restoration(
    draft: Draft,
    settings: Settings,
    *,
    since: datetime | None = None,
    run: str | None = None,
    before: tuple[Path, ...] = (),
    narrate: Narrate = silent,
) -> None:
    """What became of an incident: what was done since then, and how the database is now.

    ``since``: else the last day; ``run``: from the beginning of that run of the ledger. ``before``: reports of health,
    drift, integrity and probes that were kept as JSON. Raises ConfigurationError for those that are none.
    """
    saved = tuple(read_saved(file, settings) for file in before)
    present = look_now(settings, with_picture=False, narrate=narrate)
    past = read_past(settings, since=since, run=run, until=present.at)
    incident = Incident(past=past, present=present, before=saved, used=find_used(settings, past.runs))
    _tell(draft, tell_restoration(incident), present)
    draft.passed("ledger", count_of(len(past.runs), "run"))


def _tell(draft: Draft, document: Document, present: Present) -> None:
    """Also how each look ended: what could not be looked at leaves the report undecided."""
    draft.target = present.target
    for name, report in present.looks.items():
        if report.problem is not None:
            draft.add(Entry(name=name, status="skipped", reason=report.problem.what))
            continue
        found = count_of(len(tuple(report.findings)), "finding")
        undecided = any(entry.is_undecided for entry in report.entries)
        draft.add(Entry(name=name, status="skipped" if undecided else "passed", reason=found))
    _publish(draft, document)


def _publish(draft: Draft, document: Document) -> None:
    draft.document = document
    draft.data["page"] = document.to_json()


def parse_since(text: str, *, now: datetime | None = None) -> datetime:
    """A moment (ISO 8601, UTC where it has no zone), or how long ago: ``3 h``, ``2 d``. Raises ValueError."""
    from govern.source.manifest.values import parse_span

    try:
        return (now or datetime.now(UTC)) - parse_span(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
