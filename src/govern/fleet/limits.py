"""How much is under way at once: in all, and on one server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from govern.fleet.inventory import Target


@dataclass(slots=True)
class Limits:
    """Counts what is under way."""

    workers: int
    per_server: int
    _by_server: Counter[str] = field(default_factory=Counter)
    _in_all: int = 0

    def has_room(self, target: Target) -> bool:
        """Whether it may begin now. A target that shares no server has only the workers to wait for."""
        is_free = not target.server or self._by_server[target.server] < self.per_server
        return self._in_all < self.workers and is_free

    def begin(self, target: Target) -> None:
        self._in_all += 1
        self._by_server[target.server] += 1

    def end(self, target: Target) -> None:
        self._in_all -= 1
        self._by_server[target.server] -= 1

    def choose(self, waiting: Iterable[Target]) -> Target | None:
        """The first that may begin: one busy server keeps nobody from going on elsewhere."""
        if self._in_all >= self.workers:
            return None
        return next((target for target in waiting if self.has_room(target)), None)
