"""The lock that serialises migrations."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from .driver_connection import execute
from .parent import Parent, Stop

SECONDS_BETWEEN_WAITING_EVENTS = 5.0


class Lock:
    """Taken by polling on the connection that migrates; one without a query is a file, which the parent holds.

    A blocking wait would deadlock with CREATE INDEX CONCURRENTLY; each try is committed, so that nobody waits
    for this session's snapshot either.
    """

    def __init__(
        self, parent: Parent, request: dict[str, Any] | None, obey: Callable[[dict[str, Any]], None]
    ) -> None:
        self._parent = parent
        self._obey = obey
        self._request = request
        self._ends_with_connection = request is not None and request["query"] is not None
        self._holder: Any = None

    def take(self, dialect: Any, connection: Any) -> None:
        """Returns once the lock is held and the parent said to proceed; stops otherwise."""
        if self._request is None or self._holder is not None:
            return
        if self._ends_with_connection:
            self._poll(dialect, connection, self._request)
        else:
            self._parent.emit("locked", seconds=0.0)
        orders = self._parent.wait_for_orders()
        if orders is None:
            raise Stop("aborted")
        if orders:
            self._obey(orders)
        self._holder = connection

    def forget(self, connection: Any) -> None:
        """The connection is about to be closed, and the lock with it: the next connection takes it again."""
        if connection is self._holder and self._ends_with_connection:
            self._holder = None

    def _poll(self, dialect: Any, connection: Any, request: dict[str, Any]) -> None:
        began = time.monotonic()
        tell_at = 0.0
        while not read_value(dialect, connection, request["query"]):
            waited = time.monotonic() - began
            remaining = request["wait_seconds"] - waited
            if remaining <= 0:
                raise Stop("lock_timeout", seconds=waited, holder=_who(dialect, connection, request))
            if waited >= tell_at:
                tell_at = waited + SECONDS_BETWEEN_WAITING_EVENTS
                self._parent.emit("waiting", seconds=waited, holder=_who(dialect, connection, request))
            time.sleep(min(random.uniform(0.2, 0.5), remaining))  # noqa: S311 - jitter, no secret
        self._parent.emit("locked", seconds=time.monotonic() - began)


def _who(dialect: Any, connection: Any, request: dict[str, Any]) -> Any:
    return read_value(dialect, connection, request["holder_query"]) if request["holder_query"] else None


def read_value(dialect: Any, connection: Any, sql: str) -> Any:
    """The first column of the first row, leaving no transaction open. ``connection`` is the driver's."""
    value = execute(dialect, connection, sql)
    dialect.do_commit(connection)
    return value
