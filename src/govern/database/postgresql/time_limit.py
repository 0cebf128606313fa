"""How long a statement of ours may take: the server ends it, whatever becomes of the client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from govern.database.connection import Connection

_TIMEOUT = "SELECT set_config('statement_timeout', %s, false)"


@contextmanager
def within(connection: Connection, seconds: float) -> Iterator[None]:
    """Statements of the block end with QueryCanceled after so long; with no time left, nearly at once."""
    before = connection.value("SELECT current_setting('statement_timeout')")
    connection.rows(_TIMEOUT, (f"{max(1, round(seconds * 1000))}ms",))
    try:
        yield
    finally:
        connection.rows(_TIMEOUT, (before,))
