"""What was done to a database in a span of time, out of everything that writes down: the ledger and the JSON lines
beside the project, the monitor's record, reports that somebody kept. Nothing is made up where nothing is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from govern.actions.backup.store import list_backups
from govern.actions.journal import read_asked, read_lines_of_database
from govern.actions.notebook import MOST_EVENTS, Notebook
from govern.api.looking_now import open_ledger
from govern.config import Settings
from govern.core.backup import BackupManifest
from govern.core.history import Answers, Past, Saved
from govern.core.issue import Issue
from govern.core.monitoring import Event
from govern.core.probed import sum_up
from govern.core.run import Run
from govern.database.target import resolve_target
from govern.errors import ConfigurationError, CouldNotCheck, GovernError, NoSuchName
from govern.reports.reading import read_report

_USUALLY = timedelta(days=1)
_MIGRATIONS = ("migrate", "downgrade")


def read_past(settings: Settings, *, since: datetime | None, run: str | None, until: datetime) -> Past:
    """Everything from ``since``, or the beginning of a run, on. Raises ConfigurationError for a run there is not."""
    unknown: list[str] = []
    runs, only_in_file = _read_runs(settings, unknown)
    begins = since or (_find(runs, run).started_at if run else until - _USUALLY)
    events, issues = _read_monitor(settings, unknown)
    chosen = tuple(
        one for one in runs if begins <= (one.finished_at or one.started_at) and one.started_at <= until
    )
    return Past(
        since=begins,
        until=until,
        runs=chosen,
        only_in_file=only_in_file & {one.id for one in chosen},
        events=tuple(event for event in events if begins <= event.at <= until),
        issues=tuple(one for one in issues if begins <= one.last_seen and one.first_seen <= until),
        answers=_read_answers(settings, chosen, begins, until),
        unknown=tuple(unknown),
    )


def find_run(settings: Settings, runs: Iterable[Run], wanted: str | None) -> Run:
    """The migration of this id; without one the newest. ``runs``: the newest first. Raises ConfigurationError."""
    if wanted is not None:
        return _find((*runs, *_read_file(settings).values()), wanted)
    for run in runs:
        if run.command in _MIGRATIONS:
            return run
    raise ConfigurationError(
        "there is no migration to report on",
        why="the ledger of this database has none",
        next="see what it has: govern history",
    )


def find_used(settings: Settings, runs: Iterable[Run]) -> Mapping[str, BackupManifest | None]:
    """The backups that these runs name, in their order; None for one that is not on this machine."""
    names = dict.fromkeys(name for run in runs for name in (run.restored_from, run.backup) if name)
    try:
        here = {backup.id: backup.manifest for backup in list_backups(settings)} if names else {}
    except GovernError:
        here = {}
    return {name: here.get(name) for name in names}


def read_saved(file: Path, settings: Settings) -> Saved:
    """A report that ``--format json`` wrote. Raises ConfigurationError for anything else."""
    from govern.checks.registry import all_rules

    saved = Saved(path=settings.relative(file.absolute()), report=read_report(file, all_rules()))
    try:
        if (answers := saved.answers) is not None:
            sum_up(answers.proofs, at=answers.at, by=answers.by)
    except (KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{saved.path} is not a whole report",
            why=f"what it has under probes is no proof: {type(error).__name__}: {error}",
            next="write it anew: govern probe --format json --output FILE",
        ) from error
    return saved


def _read_runs(settings: Settings, unknown: list[str]) -> tuple[tuple[Run, ...], frozenset[str]]:
    """Of the ledger and of the JSON lines, the oldest first; and the ids of those that only the lines have."""
    in_file = _read_file(settings)
    try:
        in_ledger = {run.id: run for run in open_ledger(settings).runs}
    except CouldNotCheck as error:
        unknown.append(
            f"what the ledger has: {error.what}; what is told here is out of .govern/history.jsonl alone"
        )
        in_ledger = {}
        only_in_file = frozenset[str]()
    else:
        only_in_file = frozenset(in_file.keys() - in_ledger.keys())
    runs = sorted((in_file | in_ledger).values(), key=lambda run: (run.started_at, run.id))
    return tuple(runs), only_in_file


def _read_file(settings: Settings) -> dict[str, Run]:
    """By id, as last written."""
    runs = {}
    for line in read_lines_of_database(settings):
        try:
            run = Run.from_json(line)
        except (KeyError, TypeError, ValueError):
            continue
        runs[run.id] = run
    return runs


def _find(runs: Iterable[Run], wanted: str) -> Run:
    by_id = {run.id: run for run in runs}
    if wanted in by_id:
        return by_id[wanted]
    raise NoSuchName(
        f"there is no run {wanted}",
        wanted=wanted,
        known=by_id,
        why="neither the ledger nor .govern/history.jsonl has it",
        next="see those there are: govern history",
    )


def _read_monitor(settings: Settings, unknown: list[str]) -> tuple[tuple[Event, ...], tuple[Issue, ...]]:
    """What it did, the oldest first, and what it knows of."""
    try:
        notebook = Notebook(settings, resolve_target(settings))
        return tuple(reversed(notebook.read_events(MOST_EVENTS))), tuple(notebook.read().issues.values())
    except CouldNotCheck as error:
        unknown.append(f"what the monitor saw and did: {error.what}")
        return (), ()


def _read_answers(
    settings: Settings, runs: Iterable[Run], begins: datetime, until: datetime
) -> tuple[Answers, ...]:
    """Of runs, and of who asked by hand on this machine; the last of those before is among them."""
    found = [
        Answers(at=run.finished_at, by=f"{run.command}, run {run.id}", proofs=run.probes)
        for run in runs
        if run.probes and run.finished_at
    ]
    asked = read_asked(settings)
    earlier = [one for one in asked if one.at < begins][-1:]
    found += [*earlier, *(one for one in asked if begins <= one.at <= until)]
    return tuple(sorted(found, key=lambda one: one.at))
