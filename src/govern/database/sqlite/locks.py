"""The lock that serialises migrations of one SQLite database: a lock file beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from govern.database.dialect import MigrationLock
from govern.database.lock_file import hold_lock_file

if TYPE_CHECKING:
    from govern.database.url import DatabaseUrl


def migration_lock(url: DatabaseUrl) -> MigrationLock:
    """``<database file>.govern-lock``. It stays: to remove a file that others wait for breaks the lock."""
    return MigrationLock(file=_lock_file(url))


@contextmanager
def hold_migration_lock(url: DatabaseUrl, *, wait_seconds: float, shared: bool = False) -> Iterator[None]:
    """Holds the lock. A file is not shared, so neither is this lock. Raises Refused, NotPermitted."""
    del shared
    with hold_lock_file(_lock_file(url), wait_seconds=wait_seconds):
        yield


def _lock_file(url: DatabaseUrl) -> Path:
    file = url.path.absolute()
    return file.with_name(file.name + ".govern-lock")
