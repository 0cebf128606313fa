"""When the running application is asked: after a look at the database or at its own interval, never in its way."""

from __future__ import annotations

from datetime import datetime

from govern.core.fixing import Moment
from govern.monitor.checks import Seen
from govern.monitor.clock import Clock
from govern.monitor.worker import Asking, Work
from govern.source.manifest import MonitoredProbes


class Prober:
    """Has the application asked by a child, one at a time."""

    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._asking: Asking | None = None
        self._begun: Moment | None = None

    def begin(self, wanted: MonitoredProbes | None, *, has_looked: bool, last_asked: datetime | None) -> None:
        """Begins where it is due. ``last_asked``: by whichever instance, while this one has not asked yet."""
        if wanted is None:
            self.stop()
        elif self._asking is None and self._is_due(wanted, last_asked, has_looked=has_looked):
            self._begun = self._clock.now()
            self._asking = self._work.ask(wanted.sequences, wanted.within_seconds)

    def collect(self, patience_seconds: float = 0.0) -> tuple[Seen, ...] | None:
        """What was learned, once; None while there is nothing to be told."""
        seen = self._asking.collect(patience_seconds) if self._asking else None
        if seen is not None:
            self.stop()
        return seen

    def stop(self) -> None:
        """Ends what is under way."""
        if self._asking is not None:
            self._asking.end()
            self._asking = None

    def _is_due(self, wanted: MonitoredProbes, last_asked: datetime | None, *, has_looked: bool) -> bool:
        if wanted.every is None:
            return has_looked
        now, every = self._clock.now(), wanted.every.total_seconds()
        if self._begun is not None:
            return now.monotonic - self._begun.monotonic >= every
        return last_asked is None or not 0 <= (now.wall - last_asked).total_seconds() < every
