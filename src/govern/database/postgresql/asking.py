"""Queries that people wrote, of a PostgreSQL server: one statement, which may neither write nor take long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govern.database.postgresql.time_limit import within

if TYPE_CHECKING:
    from govern.database.connection import Connection


def ask(connection: Connection, query: str, *, seconds: float) -> Any:
    """See ``govern.database.integrity.Integrity``."""
    driver: Any = connection.driver
    with (
        within(connection, seconds),
        connection.transaction("BEGIN READ ONLY"),
        driver.cursor() as cursor,
    ):
        cursor.execute(query, prepare=True)  # a prepared statement is one statement
        row = cursor.fetchone()
        return row[0] if row else None
