"""SQLite files that lie about: what they hold, and their copy. Nothing is written beside them but by SQLite itself."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from govern.core.discovery import FoundDump
from govern.core.identifiers import quote as quote_name
from govern.database.scratch import scratch_folder
from govern.database.sqlite import server
from govern.errors import Refused

if TYPE_CHECKING:
    from govern.database.url import DatabaseUrl

KIND = "SQLite database"
_MAGIC = b"SQLite format 3\0"
_COMPANIONS = ("-wal", "-journal")
"""What a process that has not closed the file, or died, left beside it."""
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


def restore(path: Path, url: DatabaseUrl) -> None:
    """Copies the file into an existing, empty database. What its write-ahead log holds belongs to it.

    Raises Refused for a damaged one, OSError where it cannot be read.
    """
    with scratch_folder("adopt") as folder:
        copy = folder / "database.sqlite"
        for suffix in ("", *_COMPANIONS):
            if (file := Path(f"{path}{suffix}")).is_file():
                shutil.copyfile(file, f"{copy}{suffix}")
        try:
            with closing(sqlite3.connect(copy)) as source, server.connect(url) as target:
                source.backup(target.driver)  # type: ignore[arg-type]  # a sqlite3 connection
                answer = str(target.value("PRAGMA quick_check(1)"))
        except sqlite3.Error as error:
            answer = str(error)
    if answer != "ok":
        raise Refused(
            f"{path} cannot be adopted",
            why=f"it is damaged: {answer}",
            next="see what else there is: govern backup list --search DIR",
        )


def _has_companion(path: Path) -> bool:
    return any(Path(f"{path}{suffix}").exists() for suffix in _COMPANIONS)


def _count(connection: sqlite3.Connection, table: str) -> int:
    (rows,) = connection.execute(f"SELECT count(*) FROM {quote_name(table)}").fetchone()  # noqa: S608 - quoted
    return int(rows)
