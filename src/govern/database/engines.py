"""The engine behind a URL; imports only the one that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.database.dialect import Dialect
    from govern.database.url import DatabaseUrl


def dialect_of(url: DatabaseUrl) -> Dialect:
    """The engine behind a URL."""
    if url.dialect == "sqlite":
        from govern.database.sqlite.engine import SQLite

        return SQLite()
    from govern.database.postgresql.engine import PostgreSQL

    return PostgreSQL()


def all_dialects() -> tuple[Dialect, ...]:
    """Every engine, for whoever has something and does not know of which it is."""
    from govern.database.postgresql.engine import PostgreSQL
    from govern.database.sqlite.engine import SQLite

    return PostgreSQL(), SQLite()
