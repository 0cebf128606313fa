"""Transactional DDL on SQLite: of its own, sqlite3 begins a transaction before DML only.

A project that says BEGIN itself has set ``isolation_level = None``, as SQLAlchemy's documentation tells it
to, or uses Python 3.12's ``autocommit``: it is left to its own ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_OUTSIDE_TRANSACTIONS = re.compile(
    r"\s*(PRAGMA|BEGIN|COMMIT|END|ROLLBACK|VACUUM|ATTACH|DETACH)\b", re.IGNORECASE
)
_SET_FOREIGN_KEYS = re.compile(r"\s*PRAGMA\s+(?:\w+\.)?foreign_keys\s*[=(]\s*['\"]?(\w+)", re.IGNORECASE)


def is_left_to_sqlite3(connection: Any) -> bool:
    """Whether sqlite3 decides when to begin on this SQLAlchemy connection."""
    return driver_connection(connection).isolation_level is not None


def begin_before(connection: Any, sql: str, note: Callable[[str], None]) -> None:
    """Begins the transaction SQLAlchemy believes in before the first statement that belongs in one.

    PRAGMA foreign_keys does nothing inside a transaction (sqlite.org/pragma.html#pragma_foreign_keys), and a
    batch operation that relies on it would delete rows by cascade: what precedes it is committed, as without
    us.
    """
    driver = driver_connection(connection)
    switch = _SET_FOREIGN_KEYS.match(sql)
    if switch is not None and is_in_transaction(driver):
        wanted = switch.group(1).lower() in ("1", "on", "true", "yes")
        if wanted != bool(_run(driver, "PRAGMA foreign_keys")):
            driver.commit()
            note("PRAGMA foreign_keys works outside of transactions only: what preceded it was committed")
    elif _belongs_in_transaction(connection, sql) and not is_in_transaction(driver):
        _run(driver, "BEGIN IMMEDIATE")


def _belongs_in_transaction(connection: Any, sql: str) -> bool:
    is_left = connection.in_transaction() and is_left_to_sqlite3(connection)
    return is_left and not _OUTSIDE_TRANSACTIONS.match(sql)


def driver_connection(connection: Any) -> Any:
    """The DBAPI connection, or SQLAlchemy's adapter around an asynchronous one."""
    pooled = connection.connection
    return getattr(pooled, "dbapi_connection", None) or pooled.connection


def is_in_transaction(driver: Any) -> bool:
    own = driver if hasattr(driver, "in_transaction") else driver.driver_connection
    return bool(own.in_transaction)


def _run(driver: Any, sql: str) -> Any:
    cursor = driver.cursor()
    try:
        cursor.execute(sql)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
    finally:
        cursor.close()
