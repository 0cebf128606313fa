"""Whether a database with nothing pending still waits for its verdict: a run was ended before it could write one.

Applications that come without a ``schema.lock`` of this engine start on nothing but a validated run of the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from govern.checks.startup import find_unhealthy_run
from govern.core.run import Run
from govern.database.live import LiveDatabase
from govern.errors import NotPermitted
from govern.source.lock import read_lock

_CONCLUDING_SECONDS = 5.0
"""How long a run that is at its end, as of another replica that migrated, is given to write its own verdict."""
_POLL_SECONDS = 0.1


def lacks_verdict(
    live: LiveDatabase,
    *,
    narrate: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> bool:
    """Whether the ledger calls the database unhealthy, or ends with a run that brought it here without a verdict."""
    if _is_marked_unhealthy(live):
        return True
    if live.settings.schema is not None:
        return not _is_vouched_for(live)
    newest = _read_newest_run(live)
    if newest is None or newest.is_validated or _is_as_validated(live):
        return False
    if newest.result == "started":
        narrate(f"run {newest.id} has not ended yet: it is waited for")
    until = monotonic() + _CONCLUDING_SECONDS
    while newest is not None and newest.result == "started" and monotonic() < until:
        sleep(_POLL_SECONDS)
        newest = _read_newest_run(live)
    return newest is not None and not newest.is_validated


def _is_marked_unhealthy(live: LiveDatabase) -> bool:
    """Whether applications refuse to start for what an earlier run's validation found."""
    with live.connect() as connection:
        return find_unhealthy_run(connection, live.dialect) is not None


def _read_newest_run(live: LiveDatabase) -> Run | None:
    """None where there is no ledger, and for a role that may not read it: that cannot write a verdict either."""
    try:
        with live.connect() as connection:
            return next(iter(live.dialect.read_runs(connection, 1)), None)
    except NotPermitted:
        return None


def _is_vouched_for(live: LiveDatabase) -> bool:
    """Whether a run vouches for one schema as it is: the project's lock, which speaks of a whole database, cannot."""
    lock = read_lock(live.settings.lock)
    with live.connect() as connection:
        validated = live.dialect.last_validated_run(connection)
    is_of_this_lock = validated is not None and validated.lock_digest == (lock.digest if lock else None)
    return is_of_this_lock and _is_as_validated(live)


def _is_as_validated(live: LiveDatabase) -> bool:
    """Whether the run without a verdict left everything as the validated one before it had found it."""
    with live.connect() as connection:
        validated = live.dialect.last_validated_run(connection)
    return (
        validated is not None
        and set(validated.to_revision) == set(live.read_stamped())
        and validated.fingerprint == live.read_fingerprint()
    )
