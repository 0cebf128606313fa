"""Whether the lock that serialises migrations could be taken: by a session that stays ours, and now."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from govern.core.finding import Finding, Rule, Severity, Subject
from govern.database.dialect import MigrationLock
from govern.database.live import LiveDatabase
from govern.errors import Refused

POOLED_CONNECTION = Rule(
    id="guard.pooled-connection",
    name="the URL leads to a connection pool in transaction mode",
    severity=Severity.ERROR,
    condition="a proxy between here and PostgreSQL gives each transaction another session",
    effect="a lock belongs to a session: two migrations could run at the same time",
    remedy="give the URL of PostgreSQL itself, or of a pool in session mode",
)

HELD_LOCK = Rule(
    id="startup.migration-lock-held",
    name="a migration is running",
    severity=Severity.INFO,
    condition="somebody holds the lock that serialises migrations",
    effect="govern migrate waits for it",
    remedy="wait; if the process is gone, end its session",
)


def check_session(live: LiveDatabase) -> tuple[MigrationLock | None, tuple[Finding, ...]]:
    """How the lock is taken; None and a finding where none can be held."""
    try:
        return live.dialect.migration_lock(live.url), ()
    except Refused as refusal:
        about = Subject(kind="database", name=live.url.redacted)
        return None, (
            Finding.of(POOLED_CONNECTION, about, refusal.what, why=refusal.why, remedy=refusal.next),
        )


def check_lock_free(live: LiveDatabase, lock: MigrationLock) -> tuple[Finding, ...]:
    """Nothing if nobody holds it; who holds it is told, for a migration would wait."""
    holder = find_lock_holder(live, lock)
    about = Subject(kind="database", name=live.url.redacted)
    return (Finding.of(HELD_LOCK, about, f"the migration lock is held: {holder}"),) if holder else ()


def find_lock_holder(live: LiveDatabase, lock: MigrationLock) -> str | None:
    """Who holds it, in words; None if nobody does."""
    if lock.file is not None:
        return _find_file_holder(live, lock.file)
    with live.connect() as connection:
        holder = connection.value(lock.holder_query) if lock.holder_query else None
    return str(holder) if holder else None


def _find_file_holder(live: LiveDatabase, file: Path) -> str | None:
    try:
        if file.exists():
            FileLock(file, timeout=0).acquire().lock.release()
    except Timeout:
        try:
            with live.dialect.hold_migration_lock(live.url, wait_seconds=0):
                return None
        except Refused as refusal:
            return refusal.why
    return None
