"""What is asked of a fleet: the command, which databases, in which order, how fast, and when to stop."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from govern.core.finding import Severity
from govern.fleet.waves import Amount, StopRule
from govern.fleet.work import CHANGING, DEFAULTS, FleetCommand

_WORKERS, _PER_SERVER = 8, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked of a fleet."""

    command: FleetCommand
    targets: Path
    folder: Path
    """Where the configuration is looked for."""
    config: Path | None = None
    conditions: tuple[str, ...] = ()
    canary: str | None = None
    wave_by: str | None = None
    wave_size: str | None = None
    stop_after: str | None = None
    workers: int = _WORKERS
    per_server: int = _PER_SERVER
    deadline: timedelta | None = None
    resume: str | None = None
    is_new: bool = False
    scheduler: str | None = None
    fail_on: Severity = Severity.ERROR
    options: Mapping[str, Any] = field(default_factory=dict)

    def digest(self, revisions: Iterable[str]) -> str:
        """Of all that decides what is done: also the project's ``revisions``, as a newer one makes it another order.

        How fast it is done, and when to stop, is not of it.
        """
        what = (
            self.command, str(self.targets.resolve()), str(self.config.resolve()) if self.config else None,
            self.conditions, self.canary, self.wave_by, self.wave_size, self.fail_on.label,
            sorted(self.options.items()), sorted(revisions),
        )  # fmt: skip
        return hashlib.sha256(json.dumps(what, default=str).encode()).hexdigest()[:16]

    @property
    def command_line(self) -> str:
        """What to type to ask for the same again."""
        words = ["govern", "fleet", self.command, "--targets", str(self.targets)]
        for name, value in (*self._of_the_fleet(), *self._of_the_command()):
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
        return shlex.join(words)

    def _of_the_fleet(self) -> Iterator[tuple[str, object]]:
        yield from (("select", condition) for condition in self.conditions)
        given = {
            "canary": self.canary,
            "wave-by": self.wave_by,
            "wave-size": self.wave_size,
            "stop-after": self.stop_after,
            "workers": self.workers if self.workers != _WORKERS else None,
            "per-server": self.per_server if self.per_server != _PER_SERVER else None,
            "deadline": f"{self.deadline.total_seconds() / 60:.0f} min" if self.deadline else None,
            "scheduler": self.scheduler,
            "config": self.config,
            "fail-on": self.fail_on.label if self.fail_on is not Severity.ERROR else None,
        }
        yield from ((name, value) for name, value in given.items() if value is not None)

    def _of_the_command(self) -> Iterator[tuple[str, object]]:
        for name, value in self.options.items():
            if value != DEFAULTS.get(name):
                option = name.removesuffix("_seconds").replace("_", "-")
                yield from ((option, one) for one in (value if isinstance(value, tuple) else (value,)))

    @property
    def stop(self) -> StopRule:
        """Who changes databases stops at the first failure, unless told otherwise. Raises ConfigurationError."""
        after = self.stop_after or ("1" if self.command in CHANGING else None)
        return StopRule(after=Amount.parse(after) if after else None)
