"""One look at something that may take for ever, shared by all who ask. Knows neither HTTP nor a database."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Generic, TypeVar

T = TypeVar("T")

_FRESH_SECONDS = 1.0
_AHEAD_SECONDS = 0.3
"""So long before what was seen is too old, whoever asks begins the next look, and need not wait for it."""
_PATIENCE_SECONDS = 1.75
"""Of who waits, since the look began; with what else an answer takes it is given within two seconds."""
_FAREWELL_SECONDS = 1.0


class Hanging(Exception):
    """The look has not ended yet; ``seconds`` since it began."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the look has lasted for {seconds:.1f} s")
        self.seconds = seconds


class SharedLook(Generic[T]):
    """At most one look is under way, on a thread of its own; what it saw is shown to everybody for a second.

    Who asks when that second is nearly over begins the next look: as long as people keep asking, nobody waits.

    Nothing is begun before somebody asks, and a forked process begins anew: it has none of its parent's threads. No
    thread keeps a process from ending.

    ``look`` is called without arguments. It must not raise, and must come to an end by itself at some time.
    """

    def __init__(
        self,
        look: Callable[[], T],
        *,
        clock: Callable[[], float] = time.monotonic,
        fresh_seconds: float = _FRESH_SECONDS,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._look = look
        self._clock = clock
        self._fresh_seconds = fresh_seconds
        self._patience_seconds = patience_seconds
        self._turns = _Turns[T]()

    def result(self) -> T:
        """What was seen. Raises Hanging where the look does not end in time."""
        turn, patience = self._join()
        futures.wait((turn.seen,), patience)
        return self._take(turn)

    async def result_async(self) -> T:
        """The same; the event loop goes on meanwhile."""
        import asyncio  # which a program that never waits like this need not import

        turn, patience = self._join()
        if not turn.seen.done():
            await asyncio.wait((asyncio.wrap_future(turn.seen),), timeout=patience)
        return self._take(turn)

    def forget(self) -> None:
        """What was seen is not true any more: who asks next begins another look."""
        turns = self._turns
        with turns.lock:
            turns.shown = turns.coming = None

    def close(self) -> None:
        """Waits a second for a look that is under way to end. Who asks later begins another."""
        if self._turns.coming and self._turns.process == os.getpid():
            futures.wait((self._turns.coming.seen,), _FAREWELL_SECONDS)

    def _join(self) -> tuple[_Turn[T], float]:
        """The look to wait for, and for how long."""
        if self._turns.process != os.getpid():
            self._turns = _Turns[T]()  # a lock may have been held at the moment of the fork
        turns, now = self._turns, self._clock()
        with turns.lock:
            if turns.coming and turns.coming.seen.done():
                turns.shown, turns.coming = turns.coming, None
            shown = turns.shown
            if shown is None or now - shown.ended >= self._fresh_seconds:
                coming = self._begin(turns, now)
                return coming, max(0.0, coming.began + self._patience_seconds - now)
            if now - shown.ended >= self._fresh_seconds - _AHEAD_SECONDS:
                self._begin(turns, now)
            return shown, 0

    def _begin(self, turns: _Turns[T], now: float) -> _Turn[T]:
        """The look that is under way, begun now if there is none."""
        if turns.coming is None:
            turns.coming = self._start(now)
        return turns.coming

    def _start(self, now: float) -> _Turn[T]:
        turn = _Turn[T](now)

        def run() -> None:
            seen = self._look()
            turn.ended = self._clock()
            turn.seen.set_result(seen)

        turn.seen.set_running_or_notify_cancel()  # nobody who stops waiting ends it for the others
        threading.Thread(target=run, name="govern-health", daemon=True).start()
        return turn

    def _take(self, turn: _Turn[T]) -> T:
        if not turn.seen.done():
            raise Hanging(self._clock() - turn.began)
        return turn.seen.result()


class _Turn(Generic[T]):
    """One look."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.ended = began
        """Meant once it is ``seen.done()``."""
        self.seen: futures.Future[T] = futures.Future()


class _Turns(Generic[T]):
    """The looks of one process."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.lock = threading.Lock()
        self.shown: _Turn[T] | None = None
        """The last one that has ended."""
        self.coming: _Turn[T] | None = None
