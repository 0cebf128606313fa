"""Who may do what with a backup at the same time: flock on folders, so that a lock ends with its process.

Where a file system has no flock, nothing is locked, and nothing partial is swept.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from govern.errors import ConfigurationError

if TYPE_CHECKING:
    from govern.core.backup import Backup


@contextmanager
def reading(backup: Backup) -> Iterator[None]:
    """Keeps a backup from being pruned while all of it is read. Raises ConfigurationError if it is gone."""
    try:
        lock = os.open(backup.path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise gone(backup) from error
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_SH)
        if not _is_at(lock, backup.path):  # it was set aside while its lock was waited for
            raise gone(backup)
        yield
    finally:
        os.close(lock)


@contextmanager
def alone_with(folder: Path) -> Iterator[None]:
    """Raises BlockingIOError where somebody else has a lock on the folder: writes in it, or reads all of it."""
    lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass
        yield
    finally:
        os.close(lock)


def is_in_use(backup: Backup) -> bool:
    """Whether somebody writes it, reads all of it, or has just removed it."""
    try:
        with alone_with(backup.path):
            return False
    except OSError:
        return True


@contextmanager
def changing(backups: Path) -> Iterator[None]:
    """Held for the instant in which something partial appears and is locked, a manifest changes, or a backup goes."""
    lock = os.open(backups, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def lock_partial(partial: Path) -> int:
    """Marks it as somebody's who lives; for as long as the descriptor that is returned is open."""
    lock = os.open(partial, os.O_RDONLY)
    with contextlib.suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def gone(backup: Backup) -> ConfigurationError:
    """For whoever had found a backup that is not there any more."""
    return ConfigurationError(
        f"the backup {backup.id} is not there any more",
        why="it was pruned or moved away a moment ago",
        next="see which there are: govern backup list",
    )


def _is_at(lock: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), path.stat(follow_symlinks=False))
    except OSError:
        return False
