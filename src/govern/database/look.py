"""One look at a database, as an application takes it before it starts: it reads, waits for nobody and ends in time.

Only the engine that is asked for is imported, and of it only what a look needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from govern.core.glance import Glance
    from govern.database.connection import Connection
    from govern.database.url import DatabaseUrl
    from govern.database.version_table import VersionTable

SECONDS = 30.0
"""How long a look may take, the time to connect not counted."""


class Look(Protocol):
    """An open connection that only reads."""

    connection: Connection

    def glance(self, table: VersionTable, minimum_rows: Mapping[str, int]) -> Glance | None:
        """All that one round trip tells; None where the ledger or a table is missing or may not be read.

        ``minimum_rows``: tables by full name, each with the number from which on it need not be counted. Raises Locked
        where somebody has locked one of them.
        """

    def reading(self) -> AbstractContextManager[None]:
        """One read-only transaction, which sees one moment."""

    def count_rows(self, minimum_rows: Mapping[str, int]) -> Mapping[str, int | None]:
        """Rows of these tables, counted up to the number given; None: the role may not know. Missing ones are left out.

        Raises Locked where somebody has locked one of them.
        """


def open_look(
    url: DatabaseUrl, *, engine: Any = None, timeout_seconds: float = SECONDS
) -> AbstractContextManager[Look]:
    """Opens it for as long as the context lasts; never creates anything.

    ``engine``: a sync SQLAlchemy engine, whose own connection is borrowed where its driver is the one that is used
    here. Raises Unreachable, also after ``timeout_seconds``; Locked, where a migration is in the way; NotPermitted.
    """
    if url.dialect == "sqlite":
        from govern.database.sqlite.look import open_look as open_sqlite

        return open_sqlite(url, timeout_seconds=timeout_seconds)
    from govern.database.postgresql.look import open_look as open_postgresql

    return open_postgresql(url, engine=engine, timeout_seconds=timeout_seconds)
