"""A monitor's turn and record in a PostgreSQL database: an advisory lock of one session; ``govern.monitor``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from govern.database.connection import Connection
from govern.database.monitor_record import SECONDS, MonitorRecord, RecordStatements
from govern.database.postgresql import server
from govern.database.postgresql.bound import bounded, not_answering
from govern.database.postgresql.locks import refuse_transaction_pooling
from govern.database.url import DatabaseUrl
from govern.errors import NotPermitted

STATEMENTS = RecordStatements(
    exists="SELECT to_regclass('govern.monitor_events') IS NOT NULL",
    create=(
        "CREATE SCHEMA IF NOT EXISTS govern",
        "CREATE TABLE IF NOT EXISTS govern.monitor (name text PRIMARY KEY, document jsonb NOT NULL)",
        """
        CREATE TABLE IF NOT EXISTS govern.monitor_events (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id text NOT NULL UNIQUE,
            event jsonb NOT NULL
        )
        """,
    ),
    read_documents="SELECT name, document::text FROM govern.monitor",
    put_document="""
        INSERT INTO govern.monitor (name, document) VALUES (%s, %s::jsonb)
        ON CONFLICT (name) DO UPDATE SET document = excluded.document
    """,
    drop_document="DELETE FROM govern.monitor WHERE name = %s",
    add_event="INSERT INTO govern.monitor_events (id, event) VALUES (%s, %s::jsonb) ON CONFLICT (id) DO NOTHING",
    newest_events="SELECT event::text FROM govern.monitor_events ORDER BY position DESC LIMIT %s",
    forget_events="""
        DELETE FROM govern.monitor_events
        WHERE position <= (SELECT max(position) FROM govern.monitor_events) - %s::bigint
    """,
)
KEY = int.from_bytes(b"gmonitor")
"""The advisory lock's key, of the current database."""

_HELD = f"""
SELECT count(*) > 0 FROM pg_catalog.pg_locks l
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.classid = {KEY >> 32} AND l.objid = {KEY & 0xFFFFFFFF}
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""  # noqa: S608 - constants alone; a bigint key is shown as its two halves, with objsubid 1
_OURS = f"{_HELD} AND l.pid = pg_catalog.pg_backend_pid()"
_TRY = f"SELECT pg_catalog.pg_try_advisory_lock({KEY})"
_RELEASE = f"SELECT pg_catalog.pg_advisory_unlock({KEY})"
_NAME = "SELECT pg_catalog.set_config('application_name', %s, false)"
_LIMITS = "SET statement_timeout = {milliseconds}; SET lock_timeout = {milliseconds}"
_LONGEST_NAME = 63


class SessionTurn:
    """See ``govern.database.monitoring.Turn``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_held(self) -> bool:
        import psycopg

        driver: Any = self._connection.driver
        try:
            with bounded(driver.fileno(), SECONDS):
                return bool(self._connection.value(_OURS))
        except psycopg.Error:
            return False

    def close(self) -> None:
        """The session ends, and with it the lock; said first, so that a pool does not keep it."""
        import psycopg

        driver: Any = self._connection.driver
        with suppress(psycopg.Error), bounded(driver.fileno(), 1.0):
            self._connection.value(_RELEASE)
        self._connection.close()


def take_turn(url: DatabaseUrl, who: str) -> SessionTurn | None:
    """See ``govern.database.monitoring.take_turn``."""
    connection = server.connect(url)
    try:
        with _ending_in_time(connection, url, SECONDS):
            refuse_transaction_pooling(connection, url)
            connection.value(_NAME, (f"govern monitor on {who}"[:_LONGEST_NAME],))
            is_ours = bool(connection.value(_TRY))
    except BaseException:
        connection.close()
        raise
    if is_ours:
        return SessionTurn(connection)
    connection.close()
    return None


def is_turn_taken(url: DatabaseUrl) -> bool:
    """See ``govern.database.monitoring.is_turn_taken``."""
    with server.connect(url, read_only=True) as connection, _ending_in_time(connection, url, SECONDS):
        return bool(connection.value(_HELD))


@contextmanager
def open_record(url: DatabaseUrl, *, read_only: bool, seconds: float) -> Iterator[MonitorRecord]:
    """See ``govern.database.monitoring.open_record``."""
    import psycopg

    with server.connect(url, read_only=read_only) as connection, _ending_in_time(connection, url, seconds):
        connection.execute(_LIMITS.format(milliseconds=round(seconds * 1000)))
        try:
            yield MonitorRecord(connection, STATEMENTS)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
            raise NotPermitted(
                f"the monitor may not {'read' if read_only else 'write'} its record",
                why=str(error).strip(),
                next="GRANT CREATE ON DATABASE … TO …, or USAGE ON SCHEMA govern and its tables; "
                "on a read-only server there is nothing to be done",
            ) from error


@contextmanager
def _ending_in_time(connection: Connection, url: DatabaseUrl, seconds: float) -> Iterator[None]:
    """The server is to say it first; one that is stopped says nothing."""
    import psycopg

    driver: Any = connection.driver
    with bounded(driver.fileno(), seconds + 1) as bound:
        try:
            yield
        except psycopg.Error as error:
            timed_out = isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable)
            if not bound.is_over and not timed_out:
                raise
            raise not_answering(url, seconds) from error
