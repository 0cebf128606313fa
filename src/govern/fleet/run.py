"""Visits the waves of a fleet over any executor: never more at once than the limits allow, and stops when told to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass, field

from govern.core.report import EXIT_CLEAN
from govern.fleet.inventory import Target
from govern.fleet.job import Job, Outcome, run_job, unvisited
from govern.fleet.limits import Limits
from govern.fleet.waves import StopRule, Wave

_LOOK_SECONDS = 0.5
"""How often a deadline is looked at while nothing ends."""
PAUSED = "paused"


class Listener:
    """Told of each thing as it happens; what it returns from is done."""

    def wave_begins(self, wave: Wave) -> None: ...
    def target_begins(self, target: Target) -> None: ...
    def target_ends(self, outcome: Outcome) -> None: ...
    def pause_asked(self, under_way: int) -> None: ...


@dataclass(slots=True, kw_only=True)
class Visit:
    """A run while it lasts."""

    executor: Executor
    limits: Limits
    stop: StopRule
    make_job: Callable[[Target], Job]
    listener: Listener
    seconds: float | None = None
    """How long targets are begun."""
    clock: Callable[[], float] = time.monotonic
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Of all targets that were visited; what is in it from the beginning is not visited again."""
    why_ended: str = ""
    """Why not all of them were visited."""
    _failed: int = 0
    _began: float = 0.0

    def run(self, waves: Sequence[Wave]) -> Mapping[str, Outcome]:
        """Every wave, until one of them is the last for a reason (``why_ended``)."""
        self._began = self.clock()
        for wave in waves:
            waiting = [target for target in wave.targets if target.name not in self.outcomes]
            if not waiting:
                continue
            self.listener.wave_begins(wave)
            self._run_wave(wave, waiting)
            if self.why_ended:
                break
        return self.outcomes

    def _run_wave(self, wave: Wave, waiting: list[Target]) -> None:
        under_way: dict[Future[Outcome], Job] = {}
        failed = 0
        while waiting or under_way:
            if waiting and self._is_over():
                self.why_ended = self.why_ended or "the deadline is over"
            try:
                while not self.why_ended and (target := self.limits.choose(waiting)) is not None:
                    waiting.remove(target)
                    self._begin(target, under_way)
                if not under_way:
                    break
                done, _ = wait(under_way, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
                for future in [one for one in under_way if one in done]:
                    failed += self._end(under_way.pop(future), future)
                self.why_ended = self.why_ended or self.stop.decide(wave, failed, self._failed)
            except KeyboardInterrupt as interrupt:
                if self.why_ended.startswith(PAUSED):
                    raise
                self.why_ended = f"{PAUSED} by {str(interrupt) or 'Ctrl-C'}"
                self.listener.pause_asked(len(under_way))

    def _is_over(self) -> bool:
        return self.seconds is not None and self.clock() - self._began >= self.seconds

    def _begin(self, target: Target, under_way: dict[Future[Outcome], Job]) -> None:
        job = self.make_job(target)
        self.listener.target_begins(target)
        try:
            future = self.executor.submit(run_job, job)
        except (BrokenExecutor, RuntimeError) as error:
            self.why_ended = f"no worker takes work any more: {error}"
            return
        self.limits.begin(target)
        under_way[future] = job

    def _end(self, job: Job, future: Future[Outcome]) -> bool:
        """Whether it failed."""
        self.limits.end(job.target)
        # a cluster that loses its scheduler cancels what it had
        error = CancelledError("the executor gave it up") if future.cancelled() else future.exception()
        outcome = _of_dead_worker(job, error) if error is not None else future.result()
        self.outcomes[job.target.name] = outcome
        has_failed = outcome.exit_code != EXIT_CLEAN
        self._failed += has_failed
        self.listener.target_ends(outcome)
        return has_failed


def _of_dead_worker(job: Job, error: BaseException) -> Outcome:
    """Jobs do not raise: whoever ran it is gone. The database's lock went with its session, its ledger is there."""
    return unvisited(
        job,
        what=f"the worker that had {job.target.name} died",
        why=f"{type(error).__name__}: {' '.join(str(error).split())}",
        next="run the fleet command again: what was under way is looked at before anything is done",
    )
