"""How long a statement of ours may take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from govern.database.connection import Connection

_INSTRUCTIONS = 100_000
"""Of SQLite's machine, between two looks at the clock: about a millisecond."""
OUT_OF_TIME = "there was no time left"


@contextmanager
def until(connection: Connection, is_over: Callable[[], bool]) -> Iterator[None]:
    """Interrupts the statement that runs when it is over: it ends with OperationalError, ``interrupted``."""
    driver: Any = connection.driver
    driver.set_progress_handler(is_over, _INSTRUCTIONS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
