"""An answer of the server that does not come: the parent is told, who can ask what became of it.

A statement may take as long as it likes, and what lies between here and the server may keep a connection open over
which nothing passes any more. What is asked past SQLAlchemy, with the driver's own cursor, is not followed.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from .driver_connection import find_descriptor, find_process_number
from .parent import Parent

_LOOKS = 10
"""So many in the time after which a silence is told."""
_QUESTIONS = ("do_commit", "do_execute", "do_execute_no_params", "do_executemany", "do_rollback")
"""The methods of SQLAlchemy's dialects that wait for an answer."""


class Silence:
    """Follows the questions of all engines; of several at once, in threads of env.py's, the last one."""

    def __init__(self, parent: Parent, seconds: float) -> None:
        self._parent = parent
        self._seconds = seconds
        self._opened: list[tuple[Any, float]] = []
        self._asked: float | None = None
        self._is_looking = False

    def follow(self, dialect: Any, connection: Any) -> None:
        """Of an engine, and a connection that it has just opened to a server."""
        for name in _QUESTIONS:
            if name not in vars(dialect):
                setattr(dialect, name, self._timed(getattr(dialect, name)))
        if not self._is_looking:
            self._is_looking = True
            threading.Thread(target=self._look, name="govern-silence", daemon=True).start()
        self._opened.append((connection, time.monotonic()))

    def forget(self, connection: Any) -> None:
        """It is about to be closed."""
        self._opened = [known for known in self._opened if known[0] is not connection]

    def cut(self) -> None:
        """Called from another thread: whoever waits finds the connection broken, and says so as its driver does."""
        for connection, _ in self._opened:
            descriptor = find_descriptor(connection)
            if descriptor is not None:
                with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connected:
                    connected.shutdown(socket.SHUT_RDWR)

    def _timed(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            self._asked = time.monotonic()
            try:
                return ask(*arguments, **options)
            finally:
                self._asked = None

        return timed

    def _look(self) -> None:
        told = 0.0
        while True:
            time.sleep(self._seconds / _LOOKS)
            asked, now = self._asked, time.monotonic()
            if asked is not None and now - max(asked, told) >= self._seconds:
                told = now
                self._parent.emit("silent", seconds=now - asked, sessions=self._sessions(now))

    def _sessions(self, now: float) -> list[tuple[int | None, float]]:
        """Process number and age in seconds of each that is open; empty where a driver does not tell the number."""
        opened = tuple(self._opened)  # which the other thread may change
        try:
            sessions = [(find_process_number(connection), now - at) for connection, at in opened]
        except Exception:  # each driver has its own, for a connection that was closed at this very moment
            return []
        return sessions if all(number for number, _ in sessions) else []
