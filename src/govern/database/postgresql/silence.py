"""Ends the wait for an answer that is not coming: it was lost between here and the server, or the server hangs.

A statement may take as long as it likes, and keepalives are answered by whatever stands in between. So of a session
that has been silent for a while the server is asked, on another connection, what it is doing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg

from govern.database.postgresql.bound import bounded

_SILENT_SECONDS = 30.0
_ANSWER_SECONDS = 10.0
# a proxy that pools sessions has numbers of its own: of those there is no row
_HAS_ANSWERED = """
SELECT state LIKE 'idle%%' AND state_change < clock_timestamp() - interval '5 s'
FROM pg_catalog.pg_stat_activity WHERE pid = %s AND usename = current_user
"""


class WatchedConnection(psycopg.Connection[Any]):
    """Is broken, as one that was cut off, once its answer is known not to come."""

    find_loss: Callable[[], str | None] = staticmethod(lambda: None)
    """Why no answer is to be expected any more; None where it may come."""
    silent_seconds = _SILENT_SECONDS

    def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **options: Any) -> Any:
        return super().wait(self._watch(gen), *arguments, **options)

    def _watch(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Passes everything on; the driver also sends nothing at all, some times a second, while nothing happens."""
        heard = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard = time.monotonic()
                elif time.monotonic() - heard >= self.silent_seconds:
                    self._require_hope()
                    heard = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _require_hope(self) -> None:
        if (loss := self.find_loss()) is not None:
            self.pgconn.finish()
            raise psycopg.OperationalError(loss)


def find_loss(pid: int, parameters: dict[str, Any]) -> str | None:
    """Why the session ``pid`` will not be answered; None where it is at work, or nobody can tell.

    ``parameters`` are those that it was opened with.
    """
    brief = {**parameters, "connect_timeout": round(_ANSWER_SECONDS)}
    try:
        connection = psycopg.connect(**brief, autocommit=True, prepare_threshold=None)
    except psycopg.errors.ConnectionTimeout:
        return "it has been silent, and a new connection gets no answer either"
    except psycopg.Error:
        return None  # whoever refuses has answered
    with connection, bounded(connection.fileno(), _ANSWER_SECONDS) as bound:
        try:
            row = connection.execute(_HAS_ANSWERED, (pid,)).fetchone()
        except psycopg.Error:
            return "it has been silent, and a new connection gets no answer either" if bound.is_over else None
    return (
        "the server has answered or was never asked: what was sent has been lost" if row and row[0] else None
    )
