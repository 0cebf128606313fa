"""One live database of a project: its address and the questions everybody asks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from govern.core.report import Target
from govern.database.engines import dialect_of
from govern.database.version_table import VersionTable, version_table

if TYPE_CHECKING:
    from govern.config import Settings
    from govern.core.snapshot import ColumnOrder, Snapshot
    from govern.database.connection import Connection
    from govern.database.dialect import Dialect
    from govern.database.url import DatabaseUrl


@dataclass(frozen=True, slots=True)
class LiveDatabase:
    """Every question opens a connection of its own and closes it: an answer is never a stale session's."""

    settings: Settings
    url: DatabaseUrl

    @property
    def dialect(self) -> Dialect:
        return dialect_of(self.url)

    @property
    def table(self) -> VersionTable:
        return version_table(self.settings)

    def connect(self, *, read_only: bool = True) -> Connection:
        """Raises Unreachable; never creates a database."""
        return self.dialect.connect(self.url, read_only=read_only)

    def read_stamped(self) -> tuple[str, ...]:
        """The revisions it is stamped with, sorted; empty for base and for a database without a version table."""
        with self.connect() as connection:
            return self.dialect.read_version_rows(connection, self.table) or ()

    def read_only_stamp(self) -> tuple[str, ...]:
        """The same for somebody who only looks: one version table is it, also outside of the search_path.

        A role's search_path decides where Alembic would migrate, not what is in the database.
        """
        with self.connect() as connection:
            stamped = self.dialect.read_version_rows(connection, self.table)
            if stamped is None and self.table.namespace is None:
                places = self.dialect.find_version_tables(connection, self.table)
                if len(places) == 1:
                    elsewhere = VersionTable(self.table.name, places[0])
                    stamped = self.dialect.read_version_rows(connection, elsewhere)
        return stamped or ()

    def read_snapshot(self) -> Snapshot:
        with self.connect() as connection:
            return self.dialect.read_snapshot(connection, self.table)

    def read_column_order(self) -> ColumnOrder:
        with self.connect() as connection:
            return self.dialect.read_column_order(connection)

    @contextmanager
    def reading_snapshot(self) -> Iterator[Callable[[], Snapshot]]:
        """Reads it on another thread, for as long as the block lasts: the server works while the caller does, too.

        What is given is called for the snapshot; it raises what the reading raised.
        """
        with ThreadPoolExecutor(max_workers=1) as reader:
            yield reader.submit(self.read_snapshot).result

    def read_fingerprint(self) -> str:
        with self.connect() as connection:
            return self.dialect.read_fingerprint(connection, self.table)

    def describe(self, connection: Connection, heads: tuple[str, ...]) -> Target:
        """The database as reports name it."""
        return Target(
            name=self.settings.target,
            url=self.url.redacted,
            dialect=self.dialect.name,
            server_version=self.dialect.read_server_version(connection),
            revision=self.dialect.read_version_rows(connection, self.table),
            heads=heads,
        )
