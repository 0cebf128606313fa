"""Fleets of names: targets that nobody connects to, and an executor that ends jobs as it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass, field
from typing import Any

from govern.core.finding import Severity
from govern.fleet.inventory import Target
from govern.fleet.job import Job, Outcome
from govern.fleet.references import Written


def make_targets(count: int, *, servers: int = 1, **labels: Callable[[int], str]) -> tuple[Target, ...]:
    """``t0``, ``t1`` …; each label's value by the number."""
    return tuple(
        Target(
            name=f"t{number}",
            reference=Written(f"postgresql://db-{number % servers}/t{number}"),
            labels=tuple((name, value(number)) for name, value in labels.items()),
            server=f"db-{number % servers}:5432",
        )
        for number in range(count)
    )


def make_job(target: Target) -> Job:
    return Job(run="run", command="drift", folder="/", config=None, target=target, fail_on=Severity.ERROR)


def make_outcome(name: str, exit_code: int = 0, **document: Any) -> Outcome:
    status = {0: "clean", 1: "found", 4: "refused", 5: "failed"}.get(exit_code, "undecided")
    return Outcome(
        target=name,
        exit_code=exit_code,
        document={
            "command": "drift", "status": status, "started_at": "2031-01-02T12:00:00.000Z", "duration_ms": 1,
            "entries": [], "unmodelled": [], "target": None, "problem": None, **document,
        },
    )  # fmt: skip


@dataclass
class Scripted(Executor):
    """Ends each job as the script says, once ``most`` are under way or ``finish`` is called; keeps what it saw."""

    exit_codes: Mapping[str, int] = field(default_factory=dict)
    raises: Mapping[str, BaseException] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    most_at_once: dict[str, int] = field(default_factory=dict)
    _open: list[tuple[Job, Future[Outcome]]] = field(default_factory=list)

    def submit(self, function: Any, /, *arguments: Any, **_: Any) -> Future[Any]:
        (job,) = arguments
        future: Future[Outcome] = Future()
        self.begun.append(job.target.name)
        self._open.append((job, future))
        for server in {"all", job.target.server}:
            under_way = [one for one, _ in self._open if server in ("all", one.target.server)]
            self.most_at_once[server] = max(self.most_at_once.get(server, 0), len(under_way))
        return future

    def end_all(self) -> None:
        """What is under way comes to its end."""
        ended, self._open = self._open, []
        for job, future in ended:
            name = job.target.name
            if isinstance(self.raises.get(name), CancelledError):
                future.cancel()
                future.set_running_or_notify_cancel()
            elif name in self.raises:
                future.set_exception(self.raises[name])
            else:
                future.set_result(make_outcome(name, self.exit_codes.get(name, 0)))
