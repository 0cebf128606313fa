"""The files that restores took out of use: found by their names, removed only while nobody holds a lock on one."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from govern.core.retention import KeptDatabase
from govern.database.sqlite import server
from govern.database.sqlite.replacement import KEPT, beside

if TYPE_CHECKING:
    from govern.database.url import DatabaseUrl


def find_kept(url: DatabaseUrl) -> tuple[KeptDatabase, ...]:
    """See ``govern.database.dialect.Dialect``."""
    live = url.path.absolute()
    prefix = live.name + KEPT
    files = (live.with_name(name) for name in server.list_databases(url, prefix))
    read = (
        KeptDatabase.named(str(file), file.name.removeprefix(prefix), bytes=file.stat().st_size)
        for file in files
        if not file.is_symlink()
    )
    return tuple(kept for kept in read if kept is not None)


def drop_kept(url: DatabaseUrl, database: KeptDatabase) -> bool:
    """See ``govern.database.dialect.Dialect``."""
    file = Path(database.name)
    if _is_locked(file):
        return False
    server.drop_database(beside(url, file.name))
    return True


def _is_locked(file: Path) -> bool:
    """Whether a reader or writer is at it; with a write-ahead log, whether anybody has it open."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True, isolation_level=None, timeout=0)
        ) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:  # any other: it is gone, or no database
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return False
