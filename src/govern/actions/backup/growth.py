"""How far a restore has come: how large the database has become, asked now and then while others write it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from govern.core.reached import Reached
from govern.database.dialect import Dialect
from govern.database.url import DatabaseUrl
from govern.errors import GovernError

_SECONDS_BETWEEN = 2.0
"""The first look comes as late: most restores are over by then."""
_LAST_LOOK_SECONDS = 10.0


@contextmanager
def watching_growth(
    dialect: Dialect,
    url: DatabaseUrl,
    *,
    like: DatabaseUrl,
    least_bytes: int,
    narrate: Callable[[str], None],
    sentence: str,
) -> Iterator[None]:
    """Narrates the size of the database at ``url`` during the block.

    It will become about as large as the one at ``like`` is, if that is larger than ``least_bytes``. A database that
    does not say its size only ends the watching.
    """
    is_over = threading.Event()

    def look() -> None:
        failures: tuple[type[Exception], ...] = (GovernError, OSError, *dialect.errors())
        try:
            if is_over.wait(_SECONDS_BETWEEN):
                return
            expected = max(dialect.measure(like), least_bytes)
            while not is_over.wait(_SECONDS_BETWEEN):
                done = dialect.measure(url)
                total = expected if done < expected else None
                narrate(Reached(sentence, done=done, total=total, unit="bytes"))
        except failures:
            return

    narrate(Reached(sentence, done=0, total=None, unit="bytes"))
    watcher = threading.Thread(target=look, name="govern-growth", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        # a connection of ours would be in the way of whoever renames the database
        watcher.join(_LAST_LOOK_SECONDS)
