"""Writes down and narrates what happens in a run, as it happens."""

from __future__ import annotations

import time
from collections.abc import Callable

from govern.api.command import Narrate
from govern.core.reached import Reached
from govern.core.report import EXIT_CLEAN
from govern.core.wording import count_of
from govern.fleet.inventory import Target
from govern.fleet.job import Outcome
from govern.fleet.run import Listener
from govern.fleet.state import RunFile
from govern.fleet.waves import Wave

_EVERY_SECONDS = 5.0
"""Hundreds of lines in a log of CI are read by nobody."""


class Teller(Listener):
    """Of one run: its state file, and sentences for whoever waits.

    Each end is counted; the sentence beside it, which is a line of a log, changes now and then.
    """

    def __init__(
        self,
        state: RunFile,
        narrate: Narrate,
        *,
        total: int,
        done: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._narrate = narrate
        self._total = total
        self._done = done
        self._failed = 0
        self._wave = ""
        self._sentence = ""
        self._clock = clock
        self._told = clock()

    def say(self, sentence: str) -> None:
        self._narrate(sentence)

    def wave_begins(self, wave: Wave) -> None:
        self._wave = wave.name
        self._reach(f"{wave.name}: {count_of(len(wave.targets), 'target')}")

    def target_begins(self, target: Target) -> None:
        self._state.note_begin(target.name)

    def target_ends(self, outcome: Outcome) -> None:
        self._state.note_end(outcome)
        self._done += 1
        self._failed += outcome.exit_code != EXIT_CLEAN
        self._reach(self._sum_up() if self._clock() - self._told >= _EVERY_SECONDS else self._sentence)

    def pause_asked(self, under_way: int) -> None:
        self.say(f"pausing: {count_of(under_way, 'target')} under way will come to their end")

    def _reach(self, sentence: str) -> None:
        if sentence != self._sentence:
            self._sentence, self._told = sentence, self._clock()
        self._narrate(Reached(sentence, done=self._done, total=self._total, unit="target"))

    def _sum_up(self) -> str:
        failed = f", {self._failed} not clean" if self._failed else ""
        return f"{self._wave}: {self._done / self._total:.0%} of all targets{failed}"
