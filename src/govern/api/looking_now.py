"""How a database is now, for pages: each look is the command's own; what cannot be looked at is said to be so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from govern.actions.backup.store import list_backups
from govern.actions.journal import read_asked
from govern.actions.notebook import Notebook, Notes
from govern.api.command import Narrate, silent
from govern.api.drawing import draw_declared
from govern.api.drifting import drift
from govern.api.examination import health
from govern.api.project import read_project
from govern.api.rows import integrity
from govern.config import Settings
from govern.core.backup import BackupManifest
from govern.core.history import Present
from govern.core.issue import issue_of
from govern.core.probed import Probed, find_newest, sum_up
from govern.core.report import Report, Target
from govern.core.run import Run
from govern.core.snapshot import default_namespace
from govern.core.table_states import group_issues, judge_table, name_fully
from govern.database.live import LiveDatabase
from govern.database.target import resolve_target
from govern.errors import GovernError
from govern.reports.diagram import render_svg

T = TypeVar("T")
_MOST_RUNS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A database, and what was done to it."""

    target: Target
    runs: tuple[Run, ...]
    """The newest first."""
    pending: tuple[str, ...]
    """Revisions that it has not applied."""


def open_ledger(settings: Settings) -> Ledger:
    """Raises CouldNotCheck where the database cannot be read."""
    project = read_project(settings)
    live = LiveDatabase(settings, resolve_target(settings))
    with live.connect() as connection:
        target = live.describe(connection, project.chain.effective_heads)
        runs = live.dialect.read_runs(connection, _MOST_RUNS)
    pending = tuple(one.revision for one in project.chain.pending(target.revision or (), "heads"))
    return Ledger(target=target, runs=runs, pending=pending)


def look_now(settings: Settings, *, with_picture: bool = True, narrate: Narrate = silent) -> Present:
    """Everything, one after the other; raises nothing that the database could be the cause of."""
    unknown: list[str] = []
    narrate("looking at health")
    looks = {"health": _look(lambda: health(settings))}
    narrate("looking at the schema")
    looks["drift"] = _look(lambda: drift(settings))
    narrate("looking at rows")
    looks["integrity"] = _look(lambda: integrity(settings))
    ledger = _try("the ledger", lambda: open_ledger(settings), unknown)
    notes = _try("the monitor", lambda: _read_notes(settings), unknown) or Notes()
    picture = _try("the picture", lambda: _draw(settings, looks), unknown) if with_picture else None
    return Present(
        at=datetime.now(UTC),
        target=ledger.target if ledger else None,
        looks=looks,
        backups=_try("the backups", lambda: _list_backups(settings), unknown) or (),
        pending=ledger.pending if ledger else (),
        issues=notes.open_issues,
        status=notes.status,
        probed=find_newest((notes.probed, *_list_probed(settings, ledger))),
        picture=picture,
        unknown=tuple(unknown),
    )


def _look(look: Callable[[], Report]) -> Report:
    """The report; where it could not be done, the one of how far it came, which has the problem."""
    try:
        return look()
    except GovernError as error:
        if error.report is None:
            raise
        return error.report


def _try(what: str, read: Callable[[], T], unknown: list[str]) -> T | None:
    try:
        return read()
    except GovernError as error:
        unknown.append(f"{what}: {error.what}{f': {error.why}' if error.why else ''}")
        return None


def _read_notes(settings: Settings) -> Notes:
    return Notebook(settings, resolve_target(settings)).read()


def _list_backups(settings: Settings) -> tuple[BackupManifest, ...]:
    target = settings.target
    return tuple(backup.manifest for backup in list_backups(settings) if backup.manifest.target == target)


def _list_probed(settings: Settings, ledger: Ledger | None) -> Iterator[Probed | None]:
    """How the application answered after runs, and to whoever asked it by hand."""
    for run in ledger.runs if ledger else ():
        yield sum_up(run.probes, at=run.finished_at, by=run.command)
    for answers in read_asked(settings)[-1:]:
        yield sum_up(answers.proofs, at=answers.at, by=answers.by)


def _draw(settings: Settings, looks: Mapping[str, Report]) -> str | None:
    """The critical tables, and those that something was found in, with their keys, each as it was found.

    None where the manifest names none.
    """
    whole = draw_declared(settings)
    if not whole.critical:
        return None
    findings = [finding for name in ("drift", "integrity") for finding in looks[name].findings]
    home, now = default_namespace(resolve_target(settings).dialect), datetime.now(UTC)
    issues = group_issues(issue_of(finding, "report", now, home=home) for finding in findings)
    found_in = {place for place in whole.tables if name_fully(place) in issues}
    shown = whole.around((*whole.critical, *sorted(found_in - set(whole.critical))), depth=0)
    was_looked_at = looks["drift"].status in ("clean", "found")
    states = {
        place: judge_table(issues.get(name_fully(place), ()), was_looked_at=was_looked_at)
        for place in shown.tables
    }
    title = "Critical tables, and those that something was found in"
    return render_svg(shown.with_states(states).showing("keys"), title=title)
