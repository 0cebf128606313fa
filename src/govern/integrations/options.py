"""What every integration passes on: to ``validate_on_startup``, and to the health routes."""

from __future__ import annotations

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
