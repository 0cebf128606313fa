"""Short waits for locks: what meets one is taken back, and tried again after a pause, for a limited time."""

from __future__ import annotations

import random
import time
from typing import Any

from .failure import sqlstate_of
from .parent import Parent

_LOCK_ERRORS = ("55P03", "40P01")
"""lock_not_available: ``lock_timeout`` has passed; deadlock_detected: the server has chosen us to give way."""
_PAUSE_SECONDS = (0.3, 1.0)
"""With 0.1 s in the queue and such pauses in between, an application hardly notices that somebody is trying."""


class Patience:
    """How long locks are waited for. The time counts from the first one that was not to be had."""

    def __init__(self, parent: Parent, request: dict[str, Any] | None) -> None:
        self._parent = parent
        self._budget: float = request["lock_retry_seconds"] if request else 0.0
        self._began = 0.0
        self._tries = 0

    def has_time_after(self, error: BaseException) -> bool:
        """Whether the error is a lock's, and there is time for another try after a pause."""
        if sqlstate_of(error) not in _LOCK_ERRORS or not self._budget:
            return False
        self._began = self._began or time.monotonic()
        return time.monotonic() - self._began + _PAUSE_SECONDS[1] < self._budget

    def pause(self, revision: str | None) -> None:
        self._tries += 1
        waited = time.monotonic() - self._began
        self._parent.emit("blocked", revision=revision, tries=self._tries, seconds=waited)
        time.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - jitter, no secret
