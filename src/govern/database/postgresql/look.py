"""One look at a PostgreSQL database, also through a transaction-pooling proxy or at a standby: it ends in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from govern.database.postgresql import server
from govern.database.postgresql.borrowing import borrow, can_lend
from govern.database.postgresql.bound import bounded, not_answering
from govern.database.postgresql.glance import count_sql, glance_sql, place_of, read_glance
from govern.database.postgresql.refusals import quote_words
from govern.errors import CouldNotCheck, Locked

if TYPE_CHECKING:
    from govern.core.glance import Glance
    from govern.database.connection import Connection
    from govern.database.url import DatabaseUrl
    from govern.database.version_table import VersionTable

_LOCK_TIMEOUT_SECONDS = 1.0
_LONGEST = 2**31 - 1
"""Milliseconds that the server takes as a timeout."""
_SETTINGS = (
    "SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = {lock}; "
    "SET LOCAL jit = off; SET LOCAL row_security = on"
)
# a level of its own: a standby refuses the one that a database may have as its default
_GLANCE = "BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY; {settings}; {glance}; COMMIT"
_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {settings}"
_COUNTABLE = """
SELECT w.name, pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND (
  pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))
FROM unnest(%s::text[], %s::text[], %s::text[]) AS w (name, namespace, relation)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.namespace
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""


class PostgreSQLLook:
    """See ``govern.database.look.Look``."""

    def __init__(self, connection: Connection, timeout_seconds: float) -> None:
        self.connection = connection
        self._settings = _SETTINGS.format(
            statement=min(max(1, round(timeout_seconds * 1000)), _LONGEST),
            lock=round(_LOCK_TIMEOUT_SECONDS * 1000),
        )

    def glance(self, table: VersionTable, minimum_rows: Mapping[str, int]) -> Glance | None:
        import psycopg

        statements = _GLANCE.format(settings=self._settings, glance=glance_sql(table, minimum_rows))
        driver: psycopg.Connection[Any] = self.connection.driver  # type: ignore[assignment]
        try:
            with driver.cursor() as cursor:
                cursor.execute(statements.encode())
                while cursor.description is None and cursor.nextset():
                    pass
                (text,) = cursor.fetchone() or ("",)
        except psycopg.Error as error:
            if driver.broken:
                raise
            self.connection.execute("ROLLBACK")
            if isinstance(error, (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)):
                raise
            return None
        return read_glance(text, table)

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self.connection.transaction(_READING.format(settings=self._settings)):
            yield

    def count_rows(self, minimum_rows: Mapping[str, int]) -> Mapping[str, int | None]:
        home = self.connection.schema
        places = [place_of(name, home) for name in minimum_rows]
        columns = (list(minimum_rows), [place[0] for place in places], [place[-1] for place in places])
        may_read = dict(self.connection.rows(_COUNTABLE, columns))
        readable = [(name, minimum_rows[name]) for name, may in may_read.items() if may]
        counted = self.connection.value(count_sql(readable, home)) if readable else {}
        return {name: counted.get(name) for name in may_read}


@contextmanager
def open_look(url: DatabaseUrl, *, engine: Any = None, timeout_seconds: float) -> Iterator[PostgreSQLLook]:
    """See ``govern.database.look.open_look``."""
    opened = (
        borrow(engine, url, timeout_seconds=timeout_seconds)
        if can_lend(engine)
        else server.connect_to_look(url, timeout_seconds=timeout_seconds)
    )
    with opened as connection, _ending_in_time(connection, url, timeout_seconds):
        yield PostgreSQLLook(connection, timeout_seconds)


@contextmanager
def _ending_in_time(connection: Connection, url: DatabaseUrl, seconds: float) -> Iterator[None]:
    """What the server or the clock says to a look that takes too long, in our words."""
    from psycopg import Error, errors

    driver: Any = connection.driver
    # the server is to say it first
    with bounded(driver.fileno(), seconds + 1) as bound:
        try:
            yield
        except errors.LockNotAvailable as error:
            raise Locked(
                f"{url} is being changed: what was to be read has been locked for {_LOCK_TIMEOUT_SECONDS:.0f} s",
                why="another session holds a lock, as a migration's does while it alters a table",
                next="wait until it is done (wait_seconds), or see who it is: govern doctor --locks",
            ) from error
        except Error as error:
            if bound.is_over or isinstance(error, errors.QueryCanceled):
                raise not_answering(url, seconds) from error
            if driver.broken:
                raise
            raise CouldNotCheck(
                f"{url} could not be read",
                why=quote_words(error, url),  # an object that was dropped meanwhile, a conflict on a standby
                next="look again: a migration may have changed it just now; if it stays so: govern doctor",
            ) from error
        finally:
            if bound.is_over:
                with suppress(Error):
                    driver.close()
