"""SQLite files that lie about: what they hold, without leaving a trace beside them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from govern.core.discovery import FoundDump
from govern.database.sqlite.catalog.rows import quote as quote_name

KIND = "SQLite database"
_MAGIC = b"SQLite format 3\0"
_MOST_BYTES = 1_000_000_000
"""Of larger files the rows are not counted."""
# a virtual table has no page of its own, and would be read by a module
_TABLES = """
SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""


def recognize(path: Path) -> str | None:
    """``KIND`` for a SQLite file. Raises OSError."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return KIND if file.read(len(_MAGIC)) == _MAGIC else None


def describe(path: Path) -> FoundDump:
    """Its tables and rows. Raises OSError."""
    # what the file's schema says to run is not run, and no file appears beside it
    unchanging = "" if _has_companion(path) else "&immutable=1"
    address = f"file:{quote(str(path.resolve()))}?mode=ro{unchanging}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            tables = tuple(sorted(name for (name,) in connection.execute(_TABLES)))
            rows = (
                {name: _count(connection, name) for name in tables}
                if path.stat().st_size <= _MOST_BYTES
                else {}
            )
    except sqlite3.Error as error:
        return FoundDump(path=path, kind=KIND, dialect="sqlite", trouble=str(error))
    return FoundDump(path=path, kind=KIND, dialect="sqlite", tables=tables, rows=rows)


def _has_companion(path: Path) -> bool:
    return any(Path(f"{path}{suffix}").exists() for suffix in ("-wal", "-journal"))


def _count(connection: sqlite3.Connection, table: str) -> int:
    (rows,) = connection.execute(f"SELECT count(*) FROM {quote_name(table)}").fetchone()  # noqa: S608 - quoted
    return int(rows)
