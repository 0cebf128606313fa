"""JSON lines in ``.govern/history.jsonl``: what is left if the database is gone, and no more than that."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govern.config import Settings
from govern.core.history import Answers
from govern.core.probed import sum_up
from govern.database.target import resolve_target
from govern.errors import GovernError

PROBE = "probe"
"""The command of a line about what the application answered."""


def append_line(settings: Settings, document: Mapping[str, Any]) -> None:
    """A line is whole or not there: on a full disk, and where nothing can be written, it is not."""
    file = _locate(settings)
    line = (json.dumps(document) + "\n").encode()
    with contextlib.suppress(OSError):  # a read-only container: the database has the ledger
        if not file.parent.exists():
            file.parent.mkdir(mode=0o700)
            (file.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            if os.write(descriptor, line) < len(line):
                os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def note_asked(
    settings: Settings,
    proofs: Iterable[Mapping[str, Any]],
    *,
    started_at: datetime,
    finished_at: datetime,
) -> None:
    """What the application answered to whoever asked it by hand. ``proofs``: as ledgers keep them."""
    append_line(
        settings,
        {
            "database": name_database(settings),
            "id": f"{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            "command": PROBE,
            "actor": f"{settings.actor}@{socket.gethostname()}",
            "started_at": started_at.isoformat(),
            "finished_at": finished_at.isoformat(),
            "probes": list(proofs),
        },
    )


def read_lines(settings: Settings) -> tuple[Mapping[str, Any], ...]:
    """All of them, the oldest first; without those that are none."""
    try:
        lines = _locate(settings).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    read = (_read(line) for line in lines)
    return tuple(document for document in read if document is not None)


def read_lines_of_database(settings: Settings) -> tuple[Mapping[str, Any], ...]:
    """Those of the database that the settings lead to, and of none."""
    try:
        database: str | None = resolve_target(settings).redacted
    except GovernError:
        database = name_database(settings)
    return tuple(line for line in read_lines(settings) if line.get("database") in (database, None))


def read_asked(settings: Settings) -> tuple[Answers, ...]:
    """What the application answered to whoever asked it by hand on this machine, the oldest first."""
    asked = (_read_asked(line) for line in read_lines_of_database(settings) if line.get("command") == PROBE)
    return tuple(sorted((one for one in asked if one is not None), key=lambda one: one.at))


def name_database(settings: Settings) -> str | None:
    """Without a password, as lines name it; None where the settings have no URL, so that no server is started."""
    try:
        return resolve_target(settings).redacted if settings.url else None
    except (GovernError, ValueError):
        return None


def _read_asked(line: Mapping[str, Any]) -> Answers | None:
    try:
        at = datetime.fromisoformat(line["finished_at"]).astimezone(UTC)
        proofs = tuple(line["probes"])
        sum_up(proofs, at=at, by=PROBE)  # or they are none
        return Answers(at=at, by=f"govern probe, {line['actor']}", proofs=proofs)
    except (KeyError, TypeError, ValueError):
        return None


def _read(line: str) -> Mapping[str, Any] | None:
    with contextlib.suppress(ValueError):
        document = json.loads(line)
        return document if isinstance(document, dict) else None
    return None


def _locate(settings: Settings) -> Path:
    return settings.state_folder / "history.jsonl"
