"""Commands that look at the machine and the database; the one that adopts a project; the embedded server's."""

from __future__ import annotations

from datetime import UTC, datetime

from govern.actions.init import init as adopt
from govern.api.command import Narrate, command, local_today, silent
from govern.checks.doctor import examine, find_database
from govern.checks.startup.explanation import explain_startup
from govern.config import Settings
from govern.core.report import Draft, Entry
from govern.core.run import Run
from govern.database import embedded
from govern.database.embedded import throwaway
from govern.database.live import LiveDatabase
from govern.errors import GovernError, NotPermitted
from govern.startup import ask

_MANY_RUNS = 1000


@command("init")
def init(draft: Draft, settings: Settings, *, narrate: Narrate = silent) -> None:
    """Writes a configuration and a manifest for an Alembic project; changes none of its files."""
    adoption = adopt(settings, today=local_today(), narrate=narrate)
    draft.entries += adoption.entries
    draft.data |= adoption.data


@command("doctor")
def doctor(draft: Draft, settings: Settings, *, locks: bool = False, narrate: Narrate = silent) -> None:
    """What is installed, reachable and permitted; and whether an application would start, and why not."""
    narrate("looking at the project, the machine and the database")
    draft.entries += examine(settings, locks=locks)
    database = find_database(settings)
    if not locks and isinstance(database, LiveDatabase):
        draft.entries += _explain_startup(database)


def _explain_startup(database: LiveDatabase) -> tuple[Entry, ...]:
    """What cannot be read or reached has its entry already."""
    settings = database.settings
    try:
        question = ask(settings, database.url, when_ahead="warn")
        report = question.look()
        runs = _read_runs(database)
    except GovernError:
        return ()
    return explain_startup(
        tuple(report.findings),
        question.expected,
        stamped=(report.target and report.target.revision) or (),
        lock_path=settings.relative(settings.lock),
        runs=runs,
        now=datetime.now(UTC),
    )


def _read_runs(database: LiveDatabase) -> tuple[Run, ...] | None:
    try:
        with database.connect() as connection:
            return database.dialect.read_runs(connection, _MANY_RUNS)
    except NotPermitted:
        return None


@command("embedded status")
def embedded_status(draft: Draft, settings: Settings) -> None:
    """Where the embedded PostgreSQL is, and how to reach it."""
    status = embedded.status(settings.state_folder)
    if status is None:
        draft.passed("embedded", "this project never used it")
        draft.data["embedded"] = None
        return
    draft.data["embedded"] = {
        "running": status.is_running,
        "folder": str(status.folder),
        "log": str(status.log),
        "pid": status.pid,
        "url": status.url.text if status.url else None,
        "account": status.account,
    }
    draft.passed(
        "embedded", f"running, pid {status.pid}" if status.is_running else "stopped; its data is kept"
    )


@command("embedded stop")
def embedded_stop(draft: Draft, settings: Settings) -> None:
    """Stops it; its data stays. Stops the one for tests, too."""
    stopped = embedded.stop(settings.state_folder)
    draft.add(Entry.of("embedded", (), "stopped; its data is kept" if stopped else "it was not running"))
    if throwaway.stop(settings.state_folder):
        draft.passed("embedded for tests", "stopped")
