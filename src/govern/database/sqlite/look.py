"""One look at a SQLite file, which is opened for reading alone and never created."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from govern.core.glance import Glance, Validated
from govern.core.identifiers import quote
from govern.database.sqlite import server
from govern.database.sqlite.fingerprint import read_fingerprint

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.url import DatabaseUrl
    from govern.database.version_table import VersionTable

_LAST_RUN = """
SELECT run FROM govern_runs WHERE validated AND position = (SELECT max(position) FROM govern_runs)
"""
_TABLES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"


class SQLiteLook:
    """See ``govern.database.look.Look``."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def glance(self, table: VersionTable, minimum_rows: Mapping[str, int]) -> Glance | None:
        try:
            with self.reading():
                return self._glance(table, minimum_rows)
        except sqlite3.OperationalError as error:
            if server.is_about_the_file(error):
                raise
            return None

    def _glance(self, table: VersionTable, minimum_rows: Mapping[str, int]) -> Glance:
        stamped = self.connection.rows(f"SELECT version_num FROM {quote(table.name)}")  # noqa: S608 - quoted
        run = json.loads(self.connection.value(_LAST_RUN) or "{}")
        fingerprint = read_fingerprint(self.connection, table)
        return Glance(
            server_version=server.read_server_version(self.connection),
            stamped=tuple(sorted(str(revision) for (revision,) in stamped)),
            validated=Validated(tuple(run["to_revision"]), run["lock_digest"]) if run else None,
            is_untouched=bool(run) and run["fingerprint"] == fingerprint,
            rows={name: self._count(name, minimum) for name, minimum in minimum_rows.items()},
        )

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self.connection.transaction("BEGIN"):
            yield

    def count_rows(self, minimum_rows: Mapping[str, int]) -> Mapping[str, int | None]:
        there = {name for (name,) in self.connection.rows(_TABLES)}
        return {name: self._count(name, minimum) for name, minimum in minimum_rows.items() if name in there}

    def _count(self, table: str, minimum: int) -> int:
        rows = f"SELECT 1 FROM {quote(table)} LIMIT ?"  # noqa: S608 - quoted
        return int(self.connection.value(f"SELECT count(*) FROM ({rows})", (minimum,)))  # noqa: S608


@contextmanager
def open_look(url: DatabaseUrl, *, timeout_seconds: float) -> Iterator[SQLiteLook]:
    """See ``govern.database.look.open_look``."""
    with server.connect(url, read_only=True, busy_timeout_seconds=timeout_seconds) as connection:
        try:
            yield SQLiteLook(connection)
        except sqlite3.DatabaseError as error:
            if not server.is_about_the_file(error):
                raise
            raise server.explain(error, url.path) from error
