"""Ends the wait for an answer that is not coming: it was lost between here and the server, or the server hangs.

A statement may take as long as it likes, and keepalives are answered by whatever stands in between. So of a session
that has been silent for a while the server is asked, on another connection, what it is doing. Whoever cannot tell for
certain goes on waiting.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from govern.database.connection import SILENT_SECONDS
from govern.database.postgresql.bound import bounded

_ANSWER_SECONDS = 10.0
_TIMES_SILENT_WHERE_ALL_HANGS = 4
# Behind a proxy the number is another session's, or one of another server: then its age is another, too.
_HAVE_ANSWERED = """
SELECT count(*) FROM unnest(%s::integer[], %s::float8[]) AS ours (pid, age)
JOIN pg_catalog.pg_stat_activity a ON a.pid = ours.pid AND a.usename = session_user
  AND abs(extract(epoch FROM clock_timestamp() - a.backend_start) - ours.age) < 15
WHERE a.state LIKE 'idle%%' AND a.state_change < clock_timestamp() - interval '5 s'
"""


def find_loss(
    parameters: Mapping[str, Any], sessions: Sequence[Sequence[float]], silence: float
) -> str | None:
    """As ``Dialect.find_loss``; ``parameters`` are libpq's, of a connection to the same server."""
    options: dict[str, Any] = {**parameters, "connect_timeout": round(_ANSWER_SECONDS)}
    try:
        connection = psycopg.connect(**options, autocommit=True, prepare_threshold=None)
    except psycopg.errors.ConnectionTimeout:
        if silence < _TIMES_SILENT_WHERE_ALL_HANGS * SILENT_SECONDS:
            return None  # it may be busy, with our statement
        return "it has been silent, and a new connection gets no answer either"
    except psycopg.Error:
        return None  # whoever refuses has answered
    numbers, ages = [session[0] for session in sessions], [session[1] for session in sessions]
    with connection, bounded(connection.fileno(), _ANSWER_SECONDS):
        try:
            row = connection.execute(_HAVE_ANSWERED, (numbers, ages)).fetchone()
        except psycopg.Error:
            return None  # a pool let us in and has no session left: we may have the last one
    have_answered = bool(sessions) and row == (len(sessions),)
    return "the server has answered or was never asked: what was sent was lost" if have_answered else None


class WatchedConnection(psycopg.Connection[Any]):
    """Is broken, as one that was cut off, once its answer is known not to come."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._opened = time.monotonic()

    def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **options: Any) -> Any:
        return super().wait(self._watch(gen), *arguments, **options)

    def _watch(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Passes everything on; the driver also sends nothing at all, some times a second, while nothing happens."""
        heard = asked = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard = asked = time.monotonic()
                elif time.monotonic() - asked >= SILENT_SECONDS and self._is_owed_an_answer:
                    loss = self._find_loss(time.monotonic() - heard)
                    ready = yield wanted  # it may have come while that was asked
                    if loss is not None and not ready:
                        self.pgconn.finish()
                        raise psycopg.OperationalError(loss)
                    asked = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    @property
    def _is_owed_an_answer(self) -> bool:
        """Who waits for a notification is owed none."""
        return self.pgconn.transaction_status == TransactionStatus.ACTIVE

    def _find_loss(self, silence: float) -> str | None:
        session = (self.info.backend_pid, time.monotonic() - self._opened)
        return find_loss(self._parameters(), [session], silence)

    def _parameters(self) -> dict[str, Any]:
        """Those of a connection to the same server, of several that the URL names."""
        info = self.info
        place = {"host": info.host, "hostaddr": info.hostaddr, "port": info.port, "password": info.password}
        return {**info.get_parameters(), **place}
