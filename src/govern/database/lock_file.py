"""A lock that is a file: one process at a time, and it ends with its process.

It belongs to the open file and not to the process: a child that inherits the descriptor holds it, too, and goes on
to hold it if its parent is killed. (filelock keeps its descriptor to itself.)
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from govern.errors import NotPermitted, Refused, Unreachable

_POLL_SECONDS = 0.1


@contextmanager
def hold_lock_file(file: Path, *, wait_seconds: float) -> Iterator[int]:
    """Holds an exclusive lock on ``file`` and yields its descriptor, for children that must hold it as well.

    Raises Refused after ``wait_seconds``, naming the holder, and NotPermitted where it cannot be written.
    """
    if not file.parent.is_dir():
        raise Unreachable(f"there is no folder {file.parent}", next="correct the path of the database")
    descriptor = _open(file)
    try:
        _wait(descriptor, file, time.monotonic() + wait_seconds)
        _write_holder(file)
        yield descriptor
    finally:
        os.close(descriptor)  # no unlock, which would free it for a child that goes on


def _open(file: Path) -> int:
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise NotPermitted(
            f"the lock file {file} cannot be written",
            why=error.strerror or str(error),
            next=f"give this user the right to write in {file.parent}",
        ) from error


def _wait(descriptor: int, file: Path, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Refused(
                    "the migration lock is held by another process",
                    why=_read_holder(file),
                    next="wait and run again, or see who holds it: govern doctor --locks",
                ) from None
        time.sleep(_POLL_SECONDS)


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
