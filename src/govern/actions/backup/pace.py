"""How far a backup has come, told now and then: bytes so far, of how many, and how fast."""

from __future__ import annotations

import time
from collections.abc import Callable

from govern.core.wording import name_bytes

_SECONDS_BETWEEN = 5.0


class Pace:
    """Begins when it is made. ``tell`` is what ``dump`` is given as progress."""

    def __init__(
        self, narrate: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._narrate = narrate
        self._clock = clock
        self._started_at = self._told_at = clock()
        self.table_bytes: int | None = None
        """What the tables take in the database, as soon as somebody knows."""

    def tell(self, written_bytes: int) -> None:
        now = self._clock()
        if now - self._told_at < _SECONDS_BETWEEN:
            return
        self._told_at = now
        rate = round(written_bytes / (now - self._started_at))
        tables = "" if self.table_bytes is None else f" of tables that take {name_bytes(self.table_bytes)}"
        self._narrate(f"written {name_bytes(written_bytes)}{tables}, {name_bytes(rate)} a second")
