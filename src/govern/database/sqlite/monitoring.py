"""A monitor's turn and record in a SQLite database: a lock file beside it; the tables ``govern_monitor…``."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from govern.database.lock_file import hold_lock_file
from govern.database.monitor_record import MonitorRecord, RecordStatements
from govern.database.sqlite import server
from govern.errors import Refused

if TYPE_CHECKING:
    from govern.database.url import DatabaseUrl

STATEMENTS = RecordStatements(
    exists="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'govern_monitor_events'",
    create=(
        "CREATE TABLE IF NOT EXISTS govern_monitor (name TEXT PRIMARY KEY, document TEXT NOT NULL)",
        """
        CREATE TABLE IF NOT EXISTS govern_monitor_events (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            event TEXT NOT NULL
        )
        """,
    ),
    read_documents="SELECT name, document FROM govern_monitor",
    put_document="""
        INSERT INTO govern_monitor (name, document) VALUES (?, ?)
        ON CONFLICT (name) DO UPDATE SET document = excluded.document
    """,
    drop_document="DELETE FROM govern_monitor WHERE name = ?",
    add_event="INSERT INTO govern_monitor_events (id, event) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
    newest_events="SELECT event FROM govern_monitor_events ORDER BY position DESC LIMIT ?",
    forget_events="""
        DELETE FROM govern_monitor_events
        WHERE position <= (SELECT max(position) FROM govern_monitor_events) - ?
    """,
)


class FileTurn:
    """See ``govern.database.monitoring.Turn``."""

    def __init__(self, file: Path, descriptor: int, held: ExitStack) -> None:
        self._file = file
        self._descriptor = descriptor
        self._held = held

    def is_held(self) -> bool:
        """The lock ends with its process; but somebody who removes the file lets another one in."""
        try:
            return os.path.samestat(self._file.stat(), os.fstat(self._descriptor))
        except OSError:
            return False

    def close(self) -> None:
        self._held.close()


def take_turn(url: DatabaseUrl) -> FileTurn | None:
    """See ``govern.database.monitoring.take_turn``."""
    file = _lock_file(url)
    with ExitStack() as attempt:
        try:
            descriptor = attempt.enter_context(hold_lock_file(file, wait_seconds=0))
        except Refused:
            return None
        return FileTurn(file, descriptor, attempt.pop_all())


def is_turn_taken(url: DatabaseUrl) -> bool:
    """See ``govern.database.monitoring.is_turn_taken``. The lock is shared for a moment, which keeps nobody from it."""
    try:
        descriptor = os.open(_lock_file(url), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def open_record(url: DatabaseUrl, *, read_only: bool, seconds: float) -> Iterator[MonitorRecord]:
    """See ``govern.database.monitoring.open_record``."""
    with server.connect(url, read_only=read_only, busy_timeout_seconds=seconds) as connection:
        try:
            yield MonitorRecord(connection, STATEMENTS)
        except sqlite3.OperationalError as error:
            raise server.explain(error, url.path) from error


def _lock_file(url: DatabaseUrl) -> Path:
    file = url.path.absolute()
    return file.with_name(file.name + ".govern-monitor")
