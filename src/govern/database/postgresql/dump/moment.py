"""The moment that is dumped: a transaction whose snapshot other sessions take over, pg_dump's among them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from govern.database.connection import Connection
from govern.database.keeping import Moment
from govern.database.postgresql import server
from govern.database.postgresql.session_limits import CHECK_CLIENT
from govern.database.url import DatabaseUrl

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

# as pg_dump does for itself: no setting cuts a long dump short, no policy hides rows from the counts
_PREPARE = """
SELECT pg_catalog.set_config(
  name, CASE name WHEN 'lock_timeout' THEN %s WHEN 'row_security' THEN 'off' ELSE '0' END, true
)
FROM pg_catalog.pg_settings
WHERE name IN ('lock_timeout', 'row_security', 'statement_timeout', 'transaction_timeout',
               'idle_in_transaction_session_timeout')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A moment that other sessions can see."""

    moment: Moment
    snapshot: str
    """The name under which pg_dump finds it."""
    looking: list[Connection]
    """The connections that see it now."""

    def interrupt(self) -> None:
        """Whoever waits for an answer on one of the connections gets an error."""
        for connection in tuple(self.looking):
            driver: Any = connection.driver
            with suppress(psycopg.Error):
                driver.cancel_safe(timeout=5)


@contextmanager
def sharing(connection: Connection, url: DatabaseUrl, lock_timeout_milliseconds: int) -> Iterator[Shared]:
    """The moment at which the block begins, for as long as it lasts. Nobody waits longer than told for a lock.

    Source: manual, Snapshot Synchronization Functions.
    """
    looking = [connection]

    def prepare(each: Connection) -> None:
        each.rows(_PREPARE, (str(lock_timeout_milliseconds),))
        each.rows(CHECK_CLIENT)

    @contextmanager
    def open_another() -> Iterator[Connection]:
        with server.connect(url, read_only=True) as another, another.transaction(_BEGIN):
            looking.append(another)
            another.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
            prepare(another)
            try:
                yield another
            finally:
                looking.remove(another)

    with connection.transaction(_BEGIN):
        prepare(connection)
        snapshot = str(connection.value("SELECT pg_catalog.pg_export_snapshot()"))
        moment = Moment(connection=connection, open_another=open_another)
        yield Shared(moment=moment, snapshot=snapshot, looking=looking)
