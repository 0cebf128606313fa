"""The lock that serialises migrations of one PostgreSQL database: a session's advisory lock, got by polling.

Never by a blocking wait, which deadlocks with CREATE INDEX CONCURRENTLY: that waits for every older
transaction, and a statement that waits for an advisory lock is in one.
"""

from __future__ import annotations

import hashlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from govern.database.dialect import MigrationLock
from govern.database.postgresql import server
from govern.errors import CouldNotCheck, Refused

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.url import DatabaseUrl

LOCK_KEY = int.from_bytes(b"govern")
"""The advisory lock's key, of the current database: 113728425390702."""

# a bigint key is shown as its two halves, with objsubid 1 (manual, pg_locks)
_HELD = """l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.classid = {high} AND l.objid = {low}
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"""


def key_of(schema: str | None) -> int:
    """The key of the database's lock, or of that of one schema of it: 63 bits, which are a bigint of the server."""
    if schema is None:
        return LOCK_KEY
    return int.from_bytes(hashlib.sha256(b"govern " + schema.encode()).digest()[:8]) >> 1


def held_sql(schema: str | None) -> str:
    """The condition for the rows of pg_locks, as l, that are this lock, held."""
    key = key_of(schema)
    return _HELD.format(high=key >> 32, low=key & 0xFFFFFFFF)


# The holder's name and since when it holds the lock are its application_name, which every role may read.
# CASE evaluates its condition first; AND promises no order (manual, "Expression Evaluation Rules").
_TRY = """
SELECT CASE WHEN pg_catalog.{function}({key})
  THEN pg_catalog.set_config('application_name', {name} || pg_catalog.to_char(
    pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), false) IS NOT NULL
  ELSE false END
"""

_HOLDER = """
SELECT 'pid ' || l.pid || ' (' || coalesce(
    nullif(pg_catalog.regexp_replace(a.application_name, ' since \\S+$', ''), ''), 'unnamed') || ') '
  || coalesce('took it ' || CASE
    WHEN s.seconds < 60 THEN s.seconds || 's'
    WHEN s.seconds < 3600 THEN s.seconds / 60 || 'm' || pg_catalog.lpad((s.seconds % 60)::text, 2, '0') || 's'
    ELSE s.seconds / 3600 || 'h' || pg_catalog.lpad((s.seconds / 60 % 60)::text, 2, '0') || 'm' END || ' ago',
    'holds it')
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
LEFT JOIN LATERAL (SELECT greatest(0, extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(
    substring(a.application_name FROM ' since (\\d{{4}}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ)$')::timestamptz,
    a.backend_start)))::bigint AS seconds) s ON true
WHERE {held}
ORDER BY s.seconds DESC
LIMIT 1
"""

_SESSION = "SELECT pg_catalog.pg_backend_pid()"
_LONGEST_HOST = 28  # application_name has 63 bytes
_POLL_SECONDS = (0.2, 0.5)


def migration_lock(url: DatabaseUrl) -> MigrationLock:
    """The queries that take the lock and name its holder.

    Raises Refused where the URL leads to a proxy that hands every transaction to another session: a session's
    lock is worthless there. Raises Unreachable.
    """
    with server.connect(url) as connection:
        refuse_transaction_pooling(connection, url)
    return MigrationLock(
        query=_try_query("govern migrate", url.schema), holder_query=_holder_query(url.schema)
    )


@contextmanager
def hold_migration_lock(
    url: DatabaseUrl,
    *,
    wait_seconds: float,
    shared: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """Holds the lock on a connection of its own. ``shared``: beside others that share it, no migration.

    Raises Refused after ``wait_seconds``, naming the holder, and CouldNotCheck if the lock was lost.
    """
    with server.connect(url) as connection:
        take_migration_lock(
            connection, url, wait_seconds=wait_seconds, shared=shared, sleep=sleep, monotonic=monotonic
        )
        try:
            yield
        except BaseException:
            # now, and not when the server has noticed that the connection is gone
            with suppress(CouldNotCheck, *server.errors()):
                _release(connection, shared=shared)
            raise
        _release(connection, shared=shared)


def take_migration_lock(
    connection: Connection,
    url: DatabaseUrl,
    *,
    wait_seconds: float,
    shared: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Takes it on ``connection``, with whose end it ends. Raises Refused as ``hold_migration_lock`` does."""
    query = _try_query("govern", url.schema, shared=shared)
    refuse_transaction_pooling(connection, url)
    began = monotonic()
    while not connection.value(query):
        waited = monotonic() - began
        if waited >= wait_seconds:
            raise _refused(connection.value(_holder_query(url.schema)))
        sleep(min(random.uniform(*_POLL_SECONDS), max(0.01, wait_seconds - waited)))  # noqa: S311 - jitter


def _try_query(who: str, schema: str | None, *, shared: bool = False) -> str:
    function = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
    host = socket.gethostname()[:_LONGEST_HOST]
    name = "'" + f"{who} on {host} since ".replace("'", "''") + "'"
    return _TRY.format(function=function, key=key_of(schema), name=name).strip()


def _holder_query(schema: str | None) -> str:
    return _HOLDER.format(held=held_sql(schema)).strip()


def _refused(holder: str | None) -> Refused:
    return Refused(
        "the migration lock is held by another process",
        why=holder or "its holder is gone by now",
        next="wait and run again, or see who holds it: govern doctor --locks",
    )


def _release(connection: Connection, *, shared: bool) -> None:
    function = "pg_advisory_unlock_shared" if shared else "pg_advisory_unlock"
    if not connection.value(f"SELECT pg_catalog.{function}({key_of(connection.schema)})"):
        raise CouldNotCheck(
            "the migration lock was lost while it was held",
            why="the server does not know it any more; something between here and there changes sessions",
            next="connect to PostgreSQL itself, not through a proxy",
            state="what was read meanwhile may be of two different moments",
        )


def refuse_transaction_pooling(connection: Connection, url: DatabaseUrl) -> None:
    """Refuses a proxy that gives this connection's session to others between its transactions."""
    session = connection.value(_SESSION)
    if connection.driver.info.backend_pid == session:  # type: ignore[attr-defined]  # psycopg's
        return  # a proxy announces a process id of its own
    if connection.value(_SESSION) != session or _is_given_away(session, url):
        raise Refused(
            "this URL leads to a connection pool in transaction mode",
            why="a migration lock belongs to a session, and the pool gives each transaction another one",
            next="give the URL of PostgreSQL itself, or of a pool in session mode",
        )


def _is_given_away(session: int, url: DatabaseUrl) -> bool:
    """Whether a second connection gets the session of the first, which a pool of sessions would not give."""
    from psycopg.errors import ProtocolViolation

    with server.connect(url) as other:
        try:
            with other.transaction():
                return bool(other.value(_SESSION) == session)
        except ProtocolViolation:  # PgBouncer's answer to BEGIN in statement mode
            return True
