"""The driver's connection below SQLAlchemy's."""

from __future__ import annotations

from typing import Any


def driver_connection(connection: Any) -> Any:
    """The DBAPI connection, or SQLAlchemy's adapter around an asynchronous one."""
    pooled = connection.connection
    return getattr(pooled, "dbapi_connection", None) or pooled.connection


def is_autocommit(connection: Any) -> bool:
    """Whether each statement commits by itself, as in an ``autocommit_block``. Of PostgreSQL's drivers."""
    return bool(getattr(driver_connection(connection), "autocommit", False))


def execute_past_events(connection: Any, sql: str) -> Any:
    """Runs a statement that is ours past SQLAlchemy, whose events are for the project's; the first value of a row."""
    return execute(connection.dialect, driver_connection(connection), sql)


def execute(dialect: Any, driver: Any, sql: str) -> Any:
    """The first value of the first row, if there is one. Any driver's connection will do."""
    cursor = driver.cursor()
    try:
        dialect.do_execute_no_params(cursor, sql)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
    finally:
        cursor.close()


def find_descriptor(driver: Any) -> int | None:
    """Of its socket: psycopg and psycopg2 tell it; asyncpg has a transport, pg8000 a socket, sqlite3 none of these."""
    own = _unwrap(driver)
    transport: Any = getattr(own, "_transport", None)
    in_transport: Any = transport.get_extra_info("socket") if transport is not None else None
    owners = (own, in_transport, getattr(own, "_usock", None))
    return next((owner.fileno() for owner in owners if owner is not None and hasattr(owner, "fileno")), None)


def find_process_number(driver: Any) -> int | None:
    """The server's process that serves it; None of a driver that does not tell."""
    own = _unwrap(driver)
    if hasattr(own, "get_server_pid"):  # asyncpg's
        return int(own.get_server_pid())
    if key := getattr(own, "_backend_key_data", None):  # pg8000's: the number, and what it takes to cancel
        return int.from_bytes(key[:4], "big")
    number = getattr(getattr(own, "info", None), "backend_pid", None)  # psycopg's and psycopg2's
    return int(number) if number else None


def _unwrap(driver: Any) -> Any:
    """An asynchronous driver's own connection, out of SQLAlchemy's adapter around it."""
    return getattr(driver, "driver_connection", None) or driver
