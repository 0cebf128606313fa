"""The two clocks: one that people read and that can be set, and one that only goes on. Intervals are by the second."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

from govern.core.fixing import Moment


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> Moment: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """See ``Clock``."""

    def now(self) -> Moment:
        return Moment(wall=datetime.now(UTC), monotonic=time.monotonic())

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
