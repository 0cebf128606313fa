"""A lock that is a file: one process at a time, and it ends with its process."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from govern.errors import NotPermitted, Refused, Unreachable


@contextmanager
def hold_lock_file(file: Path, *, wait_seconds: float) -> Iterator[None]:
    """Holds an exclusive lock on ``file``, which ends with this process at the latest.

    Raises Refused after ``wait_seconds``, naming the holder, and NotPermitted where it cannot be written.
    """
    from filelock import FileLock, Timeout

    if not file.parent.is_dir():  # filelock would make it
        raise Unreachable(f"there is no folder {file.parent}", next="correct the path of the database")
    lock = FileLock(file, timeout=max(0.0, wait_seconds), poll_interval=0.1, is_singleton=False)
    try:
        lock.acquire()
    except Timeout:
        raise Refused(
            "the migration lock is held by another process",
            why=_read_holder(file),
            next="wait and run again, or see who holds it: govern doctor --locks",
        ) from None
    except OSError as error:
        raise NotPermitted(
            f"the lock file {file} cannot be written",
            why=error.strerror or str(error),
            next=f"give this user the right to write in {file.parent}",
        ) from error
    try:
        _write_holder(file)
        yield
    finally:
        lock.release()


def _write_holder(file: Path) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    # who holds the lock is a kindness; the lock itself does not depend on it
    with contextlib.suppress(OSError):
        file.write_text(f"{os.getpid()}\n{socket.gethostname()}\n{now}\n", encoding="utf-8")


def _read_holder(file: Path) -> str:
    try:
        process, host, since = file.read_text(encoding="utf-8").split()
        seconds = int((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds())
    except (OSError, ValueError):
        return f"another process has locked {file}"
    return f"pid {process} (govern on {host}) took it {_format_seconds(max(0, seconds))} ago"


def _format_seconds(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    return f"{seconds // 3600}h{seconds // 60 % 60:02}m"
