"""Waits until a run that broke off is over on the server, too: before that, what is read back may still change.

A client's error is no end. Its COMMIT may be on its way, its statement may run on, and a server that crashed is back
after a while with what it had committed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from govern.database.dialect import MigratingSession
from govern.database.live import LiveDatabase
from govern.errors import CouldNotCheck, Unreachable

_LET_END_SECONDS = 3.0
"""A server that can notices within two seconds that a client is gone; after that its session is ended."""
_POLL_SECONDS = 0.1


def settle(
    live: LiveDatabase,
    session: MigratingSession | None,
    *,
    wait_seconds: float,
    narrate: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Returns once the server answers and ``session`` is gone: what it has not committed by then, it never will.

    Raises Unreachable after ``wait_seconds``, or CouldNotCheck for a session that does not end.
    """
    began, waited, told = monotonic(), 0.0, ""
    while True:
        problem = _find_problem(live, session, has_had_time=waited > _LET_END_SECONDS)
        if problem is None:
            return
        waited = monotonic() - began
        if waited > wait_seconds:
            raise problem
        if waited > 1 and problem.what != told:
            told = problem.what
            narrate(f"{told}: waiting to read back what was done")
        sleep(_POLL_SECONDS)


def _find_problem(
    live: LiveDatabase, session: MigratingSession | None, *, has_had_time: bool
) -> CouldNotCheck | None:
    """Why it is too early to read back; None if it is not."""
    try:
        with live.connect() as connection:
            if session is None or not live.dialect.has_session(connection, session):
                return None
            if has_had_time:
                live.dialect.end_session(connection, session)
    except Unreachable as error:
        return error
    return CouldNotCheck(
        f"the session that migrated, pid {session.pid}, is still at work",
        why="it does not end, although its client is gone",
        next=f"end it: SELECT pg_terminate_backend({session.pid})",
    )
