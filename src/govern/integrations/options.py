"""What every integration passes on: to ``validate_on_startup``, to the health routes and to the monitor's page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from govern.checks.startup import WhenAhead
from govern.startup import OnInvalid


class StartupOptions(TypedDict, total=False):
    """The arguments of ``validate_on_startup``, with its defaults."""

    on_invalid: OnInvalid
    wait_seconds: float
    when_ahead: WhenAhead
    timeout_seconds: float
    config: Path | str | None


class HealthOptions(TypedDict, total=False):
    """The arguments of ``Health``, with its defaults."""

    config: Path | str | None
    judges_backups: bool


class DashboardOptions(TypedDict, total=False):
    """What every framework's ``dashboard`` takes besides the engine and who asks."""

    config: Path | str | None
    """As of ``validate_on_startup``."""
    read_only: bool
    """Whether there is nothing that changes anything."""
    origins: Iterable[str]
    """How browsers address the application, ``https://ops.example``, where a proxy does not hand on the name."""
    secret: str | None
    """Signs what forms carry: the same in all processes of the application, and known to nobody else."""
