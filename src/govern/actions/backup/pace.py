"""How far a backup has come: the bytes that are written, of as many as it will probably have."""

from __future__ import annotations

import time
from collections.abc import Callable

from govern.actions.backup.store import list_backups
from govern.config import Settings
from govern.core.reached import Reached
from govern.database.dialect import Extent

_SECONDS_BETWEEN = 0.2


class Pace:
    """Begins when it is made. ``tell`` is what ``dump`` is given as progress."""

    def __init__(
        self,
        narrate: Callable[[str], None],
        sentence: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._narrate = narrate
        self._sentence = sentence
        self._clock = clock
        self._told_at = clock()
        self.expected_bytes: tuple[int, ...] = ()
        """As soon as somebody knows: packed, and not packed yet."""
        narrate(Reached(sentence, done=0, total=None, unit="bytes"))

    def tell(self, written_bytes: int) -> None:
        now = self._clock()
        if now - self._told_at < _SECONDS_BETWEEN:
            return
        self._told_at = now
        total = next((expected for expected in self.expected_bytes if written_bytes < expected), None)
        self._narrate(Reached(self._sentence, done=written_bytes, total=total, unit="bytes"))


def expect_bytes(settings: Settings, database: str, extent: Extent) -> int:
    """What a backup of it will probably take: as much for each byte of its tables as the newest one did."""
    return round(extent.tables * (_packing_so_far(settings, database) or extent.packing))


def _packing_so_far(settings: Settings, database: str) -> float | None:
    for backup in list_backups(settings):
        manifest = backup.manifest
        is_ours = (manifest.target, manifest.database) == (settings.target, database)
        if is_ours and manifest.table_bytes:
            return backup.bytes / manifest.table_bytes
    return None
