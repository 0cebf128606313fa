"""Transactional DDL on SQLite: of its own, sqlite3 begins a transaction before DML only.

A project that says BEGIN itself has set ``isolation_level = None``, as SQLAlchemy's documentation tells it
to, or uses Python 3.12's ``autocommit``: it is left to its own ways.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from .driver_connection import driver_connection, execute_past_events
from .parent import Stop

_OUTSIDE_TRANSACTIONS = re.compile(
    r"\s*(PRAGMA|BEGIN|COMMIT|END|ROLLBACK|VACUUM|ATTACH|DETACH)\b", re.IGNORECASE
)
_DROP_TABLE = re.compile(r"""\s*DROP\s+TABLE\s+["`\[]?((?:[^"`\]\s;]|"")+)""", re.IGNORECASE)
_BATCH_PREFIX = "_alembic_tmp_"
_IS_BATCH = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = {}"
_CHILDREN = """
SELECT json_group_array(m.name) FROM sqlite_master m, pragma_foreign_key_list(m.name) f
WHERE m.type = 'table' AND lower(f."table") = lower({0}) AND lower(m.name) <> lower({0})
  AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
"""
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
    _refuse_cascade(connection, sql)
    if switch is not None and is_in_transaction(driver):
        wanted = switch.group(1).lower() in ("1", "on", "true", "yes")
        if wanted != bool(execute_past_events(connection, "PRAGMA foreign_keys")):
            driver.commit()
            note("PRAGMA foreign_keys works outside of transactions only: what preceded it was committed")
    elif _belongs_in_transaction(connection, sql) and not is_in_transaction(driver):
        execute_past_events(connection, "BEGIN IMMEDIATE")


def _refuse_cascade(connection: Any, sql: str) -> None:
    """A batch operation drops the table it has copied, and SQLite deletes the table's rows first: children follow.

    Only while foreign keys are on (sqlite.org/foreignkeys.html, 5), with ON DELETE CASCADE, SET NULL or SET DEFAULT.
    """
    dropped = _DROP_TABLE.match(sql)
    if dropped is None or not execute_past_events(connection, "PRAGMA foreign_keys"):
        return
    table = dropped.group(1).replace('""', '"')
    if execute_past_events(connection, _IS_BATCH.format(_literal(_BATCH_PREFIX + table))):
        child = next((name for name in _children(connection, table) if _has_rows(connection, name)), None)
        if child is not None:
            raise Stop("cascade", table=table, child=child)


def _children(connection: Any, table: str) -> Iterator[str]:
    """Tables whose rows change with rows of ``table`` that are deleted, the batch operation's copy of it included."""
    names = execute_past_events(connection, _CHILDREN.format(_literal(table)))
    return iter(json.loads(names or "[]"))


def _has_rows(connection: Any, table: str) -> bool:
    return bool(execute_past_events(connection, f"SELECT 1 FROM {_identifier(table)}"))  # noqa: S608 - a quoted name


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _belongs_in_transaction(connection: Any, sql: str) -> bool:
    is_left = connection.in_transaction() and is_left_to_sqlite3(connection)
    return is_left and not _OUTSIDE_TRANSACTIONS.match(sql)


def is_in_transaction(driver: Any) -> bool:
    own = driver if hasattr(driver, "in_transaction") else driver.driver_connection
    return bool(own.in_transaction)
