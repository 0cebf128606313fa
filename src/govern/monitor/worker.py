"""Has checks and fixes done by a child process, each within its budget: what hangs or crashes is told, and no more."""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Protocol

from govern.config import Settings
from govern.core.issue import Issue
from govern.core.probed import name_entry
from govern.core.report import Entry
from govern.monitor.asking import CANNOT_ASK
from govern.monitor.checks import CHECKS, Repaired, Seen
from govern.monitor.child import LENGTH, write_message
from govern.monitor.task import Ask, Asked, Look, Repair, TakeBack, Task

_REPAIR_SECONDS = 3_600.0
"""A fix waits for the migration lock and makes a backup."""
_KNOWN_SECONDS = 3_600.0
"""After so long a check learns all anew, though nothing seems to have changed."""
_FAREWELL_SECONDS = 20.0
"""How long a fix that has begun may take to end, once the monitor is told to."""


class Work(Protocol):
    """Does what a pass needs done."""

    def look(self, names: Sequence[str]) -> Iterator[Seen]:
        """What each check has learned, in this order. After one without a database the rest is spared."""

    def repair(self, issue: Issue, most_rows: int | None) -> Repaired:
        """Fixes it, unless that touches more rows."""

    def take_back(self, run: str) -> Repaired:
        """Rolls a run of the ledger back."""

    def ask(self, sequences: tuple[str, ...], seconds: float) -> Asking:
        """Begins to ask the running application, for so long at most; returns at once."""


class Asking(Protocol):
    """Probes that are being asked, beside everything else."""

    def collect(self, patience_seconds: float = 0.0) -> tuple[Seen, ...] | None:
        """What was learned of each sequence, once it is all there or time is over; None as long as it goes on."""

    def end(self) -> None:
        """Nobody wants to know any more."""


class Worker:
    """See ``Work``."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._known: dict[str, tuple[float, Seen]] = {}

    def look(self, names: Sequence[str]) -> Iterator[Seen]:
        waiting = list(names)
        while waiting:
            with self._child([Look(name, self._recall(name)) for name in waiting]) as child:
                for name in tuple(waiting):
                    waiting.remove(name)
                    seen = self._await_look(child, name)
                    yield seen
                    if not seen.is_reachable:
                        return
                    if seen.entry.status == "crashed" and not child.is_alive:
                        break  # the others get another child

    def repair(self, issue: Issue, most_rows: int | None) -> Repaired:
        return self._change(Repair(issue, most_rows))

    def take_back(self, run: str) -> Repaired:
        return self._change(TakeBack(run))

    def ask(self, sequences: tuple[str, ...], seconds: float) -> Asking:
        stack = ExitStack()
        child = stack.enter_context(self._child([Ask(sequences)]))
        return _Asking(child, sequences, seconds, close=stack.close)

    def _change(self, task: Repair | TakeBack) -> Repaired:
        with self._child([task]) as child:
            try:
                answer = child.read(_REPAIR_SECONDS)
            except KeyboardInterrupt:
                child.read(_FAREWELL_SECONDS)
                raise
            return answer if isinstance(answer, Repaired) else Repaired(problem=f"the fix {answer}")

    def _await_look(self, child: _Child, name: str) -> Seen:
        started = time.monotonic()
        answer = child.read(CHECKS[name].seconds)
        if isinstance(answer, Seen):
            self._remember(name, answer)
            return answer
        return Seen.crashed(name, f"the check {answer}", time.monotonic() - started)

    def _recall(self, name: str) -> Seen | None:
        """What is known of a check, for an hour at most."""
        learned, seen = self._known.get(name, (0.0, None))
        return seen if self._clock() - learned < _KNOWN_SECONDS else None

    def _remember(self, name: str, seen: Seen) -> None:
        _, known = self._known.get(name, (0.0, None))
        if seen.mark is None:
            self._known.pop(name, None)
        elif known is None or known.mark != seen.mark or self._recall(name) is None:
            self._known[name] = (self._clock(), seen)

    @contextmanager
    def _child(self, tasks: list[Task]) -> Iterator[_Child]:
        answers, into = os.pipe()
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "govern.monitor.child", str(into)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=(into,),
                start_new_session=True,  # Ctrl-C in a terminal is the monitor's affair
            )
        finally:
            os.close(into)
        child = _Child(process, answers)
        try:
            child.send((self._settings, tuple(tasks)))
            yield child
        finally:
            child.end()


class _Asking:
    """See ``Asking``: a child that asks."""

    def __init__(
        self, child: _Child, sequences: tuple[str, ...], seconds: float, *, close: Callable[[], None]
    ) -> None:
        self._child = child
        self._sequences = sequences
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._seen: list[Seen] = []
        self.end = close

    def collect(self, patience_seconds: float = 0.0) -> tuple[Seen, ...] | None:
        until = min(self._ends, time.monotonic() + patience_seconds)
        while True:
            answer = self._child.poll(max(0.0, until - time.monotonic()))
            if isinstance(answer, Seen):
                self._seen.append(answer)
            elif answer is not None:
                return self._finish("" if isinstance(answer, Asked) else f"the probe {answer}")
            elif time.monotonic() >= self._ends:
                return self._finish(f"the probes took longer than {self._seconds:g} s")
            elif time.monotonic() >= until:
                return None

    def _finish(self, problem: str) -> tuple[Seen, ...]:
        """What did not come any more is told: the first one was being asked, those after it were not."""
        self.end()
        told = {one.entry.name for one in self._seen}
        names = [name for name in map(name_entry, self._sequences) if name not in told]
        if CANNOT_ASK not in told:
            self._seen += [Seen.crashed(name, problem) for name in names[:1]]
            self._seen += [_unasked(name, problem) for name in names[1:]]
        return tuple(self._seen)


def _unasked(name: str, problem: str) -> Seen:
    return Seen(entry=Entry(name=name, status="skipped", reason=f"not asked: {problem}"), is_decided=False)


class _Child:
    """A running child."""

    def __init__(self, process: subprocess.Popen[bytes], answers: int) -> None:
        self._process = process
        self._answers = answers
        self._read = b""

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send(self, message: object) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was started with a pipe
        with suppress(BrokenPipeError):
            write_message(self._process.stdin, message)  # type: ignore[arg-type]

    def read(self, seconds: float) -> Any:
        """The next answer; a text that says what became of the child where there is none in time."""
        answer = self.poll(seconds)
        if answer is None:
            self._kill()
            return f"took longer than {seconds:g} s"
        return answer

    def poll(self, seconds: float) -> Any:
        """The next answer, or a text that says how the child has ended; None where there is neither by then."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while (message := self._take()) is None:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return None
                chunk = os.read(self._answers, 1 << 16)
                if not chunk:
                    return f"ended with {self._describe_end()}"
                self._read += chunk
        return pickle.loads(message)  # noqa: S301 - our own child's

    def end(self) -> None:
        """It has nothing to say any more; what it has started goes with it."""
        self._kill()
        os.close(self._answers)
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def _take(self) -> bytes | None:
        if len(self._read) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._read)[0]
        if len(self._read) < end:
            return None
        message, self._read = self._read[LENGTH.size : end], self._read[end:]
        return message

    def _describe_end(self) -> str:
        code = self._process.wait()
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def _kill(self) -> None:
        if self.is_alive:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
