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
    return execute(driver_connection(connection), sql)


def execute(driver: Any, sql: str) -> Any:
    """The first value of the first row, if there is one. Any driver's connection will do."""
    cursor = driver.cursor()
    try:
        cursor.execute(sql)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
    finally:
        cursor.close()
