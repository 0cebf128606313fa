"""Ends the wait for a server that accepts connections and does not answer: it hangs, or is stopped.

The server's own timeouts do not help then, and keepalives are answered by its kernel.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from govern.errors import Unreachable

if TYPE_CHECKING:
    from govern.database.url import DatabaseUrl


@dataclass(slots=True)
class Bound:
    """Whether the time was over before the work was done."""

    is_over: bool = False


@contextmanager
def bounded(descriptor: int, seconds: float) -> Iterator[Bound]:
    """Shuts the connection down after so long, with all who wait for it; its driver finds it broken then.

    ``descriptor``: of the connection's socket.
    """
    bound = Bound()
    own = socket.socket(fileno=os.dup(descriptor))

    def end() -> None:
        bound.is_over = True
        with suppress(OSError):  # it was closed at this very moment
            own.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield bound
    finally:
        timer.cancel()
        own.close()


def not_answering(url: DatabaseUrl, seconds: float) -> Unreachable:
    """The error for a wait that was ended."""
    return Unreachable(
        f"{url} does not answer within {seconds:g} s",
        why="the server accepts connections, and hangs, is stopped or has more to do than it can",
        next="see what it does: SELECT * FROM pg_stat_activity; and its log",
    )
