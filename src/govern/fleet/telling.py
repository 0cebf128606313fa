"""Writes down and narrates what happens in a run, as it happens."""

from __future__ import annotations

import time
from collections.abc import Callable

from govern.api.command import Narrate
from govern.core.wording import count_of, name_seconds
from govern.fleet.inventory import Target
from govern.fleet.job import Outcome
from govern.fleet.run import Listener
from govern.fleet.state import RunFile
from govern.fleet.waves import Wave

_EVERY_SECONDS = 5.0
"""Hundreds of lines in a log of CI are read by nobody."""


class Teller(Listener):
    """Of one run: its state file, and sentences for whoever waits."""

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
        self._done = self._earlier = done
        self._failed = 0
        self._clock = clock
        self._began = self._told = clock()

    def say(self, sentence: str) -> None:
        self._narrate(sentence)

    def wave_begins(self, wave: Wave) -> None:
        self.say(f"{wave.name}: {count_of(len(wave.targets), 'target')}")

    def target_begins(self, target: Target) -> None:
        self._state.note_begin(target.name)

    def target_ends(self, outcome: Outcome) -> None:
        self._state.note_end(outcome)
        self._done += 1
        self._failed += outcome.exit_code != 0
        if self._clock() - self._told >= _EVERY_SECONDS:
            self._told = self._clock()
            self.say(self._progress())

    def pause_asked(self, under_way: int) -> None:
        self.say(f"pausing: {count_of(under_way, 'target')} under way will come to their end")

    def _progress(self) -> str:
        spent = self._clock() - self._began
        left = spent / max(1, self._done - self._earlier) * (self._total - self._done)
        failed = f", {self._failed} not clean" if self._failed else ""
        return f"{self._done} of {self._total}{failed}; about {name_seconds(left)} left"
