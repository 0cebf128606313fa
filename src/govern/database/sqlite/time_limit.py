"""How long a statement of ours may take."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from govern.database.connection import Connection

_INSTRUCTIONS = 100_000
"""Of SQLite's machine, between two looks at the clock: about a millisecond."""


@contextmanager
def within(connection: Connection, seconds: float) -> Iterator[None]:
    """Statements of the block end with OperationalError, all together, after so long."""
    deadline = time.monotonic() + seconds
    driver: Any = connection.driver
    driver.set_progress_handler(lambda: time.monotonic() >= deadline, _INSTRUCTIONS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


def explain(error: sqlite3.OperationalError) -> str:
    """Why a statement did not come to its end."""
    return "there was no time left" if str(error) == "interrupted" else str(error)
