"""Looks at a running migration from a second connection: who is in its way, how far an index is built.

It narrates and remembers, and decides nothing; a connection that fails only ends the watching.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from govern.core.reached import Reached
from govern.database.connection import Connection
from govern.database.live import LiveDatabase
from govern.errors import GovernError
from govern.revisions.protocol import Blocked, Event, RevisionDone

Narrate = Callable[[str], None]
_LOOK_SECONDS = 0.04
"""Twice within the shortest wait for a lock (``lock_timeout_seconds``) that is usual."""
_TELL_SECONDS = 2.0
"""Between two sentences about one and the same thing."""


class Watch:
    """What was seen so far."""

    def __init__(self, live: LiveDatabase, narrate: Narrate) -> None:
        self._live = live
        self._narrate = narrate
        self._began = threading.Event()
        self._ended = threading.Event()
        self._told: tuple[str, float] = ("", 0.0)
        self._applied = self._revisions = 0
        self.blockers: tuple[str, ...] = ()
        """Who was in the way last; empty if nobody was, or was seen."""
        self.waited_seconds = 0.0
        """Since the first lock that was not to be had; 0 if there was none."""

    def begin(self, sentence: str, *, revisions: int) -> None:
        """The migration lock is held: from here on it is our own session that is looked at."""
        if not self._began.is_set():
            self._revisions = revisions
            self._narrate(self._reach(sentence))
        self._began.set()

    def end(self) -> None:
        self._ended.set()
        self._began.set()

    def tell(self, event: Event) -> None:
        """Narrates what the child says of revisions and locks."""
        if isinstance(event, RevisionDone):
            self._applied += 1
            done = "applied" if event.direction == "upgrade" else "took back"
            self._narrate(self._reach(f"{done} {event.revision} in {event.seconds:.2f} s"))
        elif isinstance(event, Blocked):
            self.waited_seconds = event.seconds
            what = f"{event.revision} needs a lock" if event.revision else "a lock is needed"
            self._tell_seldom(f"{what} that {describe_blockers(self.blockers)}: trying again")

    def _reach(self, sentence: str) -> Reached:
        return Reached(sentence, done=self._applied, total=self._revisions, unit="revision")

    def look(self) -> None:
        """The thread's work: looks until the end, or until it cannot."""
        self._began.wait()
        if self._ended.is_set():
            return
        failures: tuple[type[Exception], ...] = (GovernError, *self._live.dialect.errors())
        try:
            with self._live.connect() as connection:
                while not self._ended.wait(_LOOK_SECONDS):
                    self._look_once(connection)
        except failures:
            return

    def _look_once(self, connection: Connection) -> None:
        seen = self._live.dialect.read_activity(connection)
        self.blockers = seen.blockers or self.blockers
        if seen.progress is not None:
            self._tell_seldom(seen.progress)

    def _tell_seldom(self, sentence: str) -> None:
        """A new phase at once, how far it is now and then."""
        phase, now = sentence.partition(",")[0], time.monotonic()
        if phase != self._told[0] or now - self._told[1] >= _TELL_SECONDS:
            self._told = (phase, now)
            self._narrate(sentence)


@contextmanager
def watching(live: LiveDatabase, narrate: Narrate) -> Iterator[Watch]:
    """Watches in a thread from ``begin`` to the end of the block."""
    watch = Watch(live, narrate)
    thread = threading.Thread(target=watch.look, name="govern-watch", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        thread.join(timeout=1)  # it may be waiting for an answer that never comes


def describe_blockers(blockers: tuple[str, ...]) -> str:
    if not blockers:
        return "another session holds"
    return f"{'; '.join(blockers)} {'hold' if len(blockers) > 1 else 'holds'}"
