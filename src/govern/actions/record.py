"""Writes the ledger: a run when it starts, and again when it has ended, with what was read back."""

from __future__ import annotations

import secrets
import socket
from dataclasses import replace
from datetime import UTC, datetime

from govern.core.run import Run, RunResult
from govern.database.live import LiveDatabase
from govern.source.lock import read_lock
from govern.version import __version__


def start_run(
    live: LiveDatabase,
    command: str,
    *,
    from_revision: tuple[str, ...],
    to_revision: tuple[str, ...],
    backup: str | None,
    statements: tuple[str, ...] = (),
) -> Run:
    """Records that a run begins. Raises NotPermitted where the ledger cannot be written: before anything else is."""
    now = datetime.now(UTC)
    with live.connect(read_only=False) as connection:
        run = Run(
            id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            command=command,
            actor=f"{live.settings.actor}@{socket.gethostname()}",
            started_at=now,
            from_revision=from_revision,
            to_revision=to_revision,
            statements=statements,
            backup=backup,
            server_version=live.dialect.read_server_version(connection),
            tool_version=__version__,
        )
        live.dialect.record_run(connection, run)
    return run


def finish_run(live: LiveDatabase, run: Run, result: RunResult, *, error: str | None = None) -> Run:
    """Records how it ended, with the fingerprint that start-up checks compare and the lock it was held against."""
    lock = read_lock(live.settings.lock)
    with live.connect(read_only=False) as connection:
        watermark = live.dialect.read_watermark(connection, live.table)  # first: what comes after it moves it
        finished = replace(
            run,
            result=result,
            error=error,
            finished_at=datetime.now(UTC),
            lock_digest=lock.digest if lock else None,
            watermark=watermark,
            fingerprint=live.dialect.read_fingerprint(connection, live.table),
        )
        live.dialect.record_run(connection, finished)
    return finished
