"""How long a statement of ours may take: the server ends it, whatever becomes of the client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.database.connection import Connection

_LIMITS = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
_LIMIT = "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)"
_LOCK_TIMEOUT = "2s"


@contextmanager
def within(connection: Connection, seconds: float) -> Iterator[None]:
    """Statements of the block end with QueryCanceled after so long; with no time left, nearly at once.

    For a table that somebody has locked they wait two seconds, and end with LockNotAvailable.
    """
    before = connection.rows(_LIMITS)[0]
    connection.rows(_LIMIT, (f"{max(1, round(seconds * 1000))}ms", _LOCK_TIMEOUT))
    try:
        yield
    finally:
        connection.rows(_LIMIT, before)
