"""Writes the ledger: a run when it starts, and again when it has ended, with what was read back."""

from __future__ import annotations

import contextlib
import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from govern.actions.journal import append_line
from govern.core.run import Run, RunResult
from govern.database.live import LiveDatabase
from govern.errors import FailedMidway, GovernError, Unreachable
from govern.source.lock import read_lock
from govern.version import __version__

_GIT_SECONDS = 5.0
_begun = threading.Event()


def has_begun_run() -> bool:
    """Whether this process has recorded that a run begins: before that no action changes a database."""
    return _begun.is_set()


def start_run(
    live: LiveDatabase,
    command: str,
    *,
    from_revision: tuple[str, ...],
    to_revision: tuple[str, ...],
    backup: str | None,
    statements: tuple[str, ...] = (),
    plan_digest: str | None = None,
    restored_from: str | None = None,
    kept_as: str | None = None,
    repairs: tuple[str, ...] = (),
    undoes: str | None = None,
) -> Run:
    """Records that a run begins. Raises NotPermitted where the ledger cannot be written: before anything else is."""
    now = datetime.now(UTC)
    _begun.set()
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
            plan_digest=plan_digest,
            restored_from=restored_from,
            kept_as=kept_as,
            repairs=repairs,
            undoes=undoes,
            server_version=live.dialect.read_server_version(connection),
            tool_version=__version__,
            git_commit=_read_git_commit(live.settings.root),
        )
        live.dialect.record_run(connection, run)
    _append(live, run)
    return run


def finish_run(
    live: LiveDatabase, run: Run, result: RunResult, *, error: str | None = None, is_whole: bool = True
) -> Run:
    """Records how it ended, with the fingerprint that start-up checks compare and the lock it was held against.

    ``is_whole``: whether the schema is what it was meant to be as a whole; else it has no fingerprint to start on.
    """
    lock = read_lock(live.settings.lock)
    with live.connect(read_only=False) as connection:
        watermark = live.dialect.read_watermark(connection, live.table)  # first: what comes after it moves it
        finished = replace(
            run,
            result=result,
            error=error,
            finished_at=datetime.now(UTC),
            lock_digest=lock.digest if lock else None,
            watermark=watermark if is_whole else None,
            fingerprint=live.dialect.read_fingerprint(connection, live.table) if is_whole else None,
        )
        live.dialect.record_run(connection, finished)
    _append(live, finished)
    return finished


def note_probes(live: LiveDatabase, run: Run) -> Run:
    """Records what the application answered after a run that has ended, and leaves everything else as it was."""
    with live.connect(read_only=False) as connection:
        live.dialect.record_run(connection, run)
    _append(live, run)
    return run


@contextlib.contextmanager
def recording_failure(live: LiveDatabase, run: Run, *, what: str, next: str, state: str) -> Iterator[None]:
    """Writes into the ledger how a run failed, and lets the error pass.

    A server that goes away becomes FailedMidway with these three sentences: nobody knows what is there.
    """
    try:
        yield
    except BaseException as error:
        result: RunResult = "failed" if isinstance(error, Exception) else "interrupted"
        with contextlib.suppress(GovernError):  # it stays "started"
            finish_run(live, run, result, error=f"{type(error).__name__}: {error}".splitlines()[0])
        if isinstance(error, Unreachable):
            raise FailedMidway(what, why=f"{error.what}: {error.why}", next=next, state=state) from error
        raise


def note_unread(live: LiveDatabase, run: Run, error: str) -> None:
    """A run that cannot be read back stays ``started`` in the database; the JSON lines say more."""
    _append(live, replace(run, result="interrupted", error=error, finished_at=datetime.now(UTC)))


def _append(live: LiveDatabase, run: Run) -> None:
    append_line(live.settings, {"database": live.url.redacted, **run.to_json()})


def _read_git_commit(root: Path) -> str | None:
    """Of the project's checkout; None where there is none, or no git."""
    commit = _ask_git(root, "rev-parse", "HEAD")
    if commit is None:
        return None
    return f"{commit}+changes" if _ask_git(root, "status", "--porcelain", "--untracked-files=no") else commit


def _ask_git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's own
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
