"""One invocation: what the global options asked, and the settings they lead to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from govern.cli.failures import Changes
from govern.cli.narration import Narrate, say_nothing
from govern.core.finding import Severity
from govern.core.report import Entry, Problem, Report, Target
from govern.errors import GovernError
from govern.reports.formats import Format

if TYPE_CHECKING:
    from govern.config import Settings


@dataclass(slots=True, kw_only=True)
class Session:
    """Filled by the global options wherever they stand on the command line; read by the commands."""

    config: Path | None = None
    url: str | None = field(default=None, repr=False)
    """May hold a password: never shown."""
    target: str | None = None
    alembic_config: Path | None = None
    """Where ``init`` is to find alembic.ini."""
    python: Path | None = None
    """The interpreter that ``init`` is to ask."""
    section: str | None = None
    """The section of alembic.ini that ``init`` is to adopt."""
    format: Format = "text"
    output: Path | None = None
    fail_on: Severity = Severity.ERROR
    quiet: bool = False
    verbose: bool = False

    command: str = ""
    """``backup create``; empty until one was recognised."""
    changes: Changes = "nothing"
    """What the command may change, asked as it is."""
    narrate: Narrate = say_nothing
    """Tells one step of the command on stderr."""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _started: float = field(default_factory=time.monotonic)
    _settings: Settings | None = field(default=None, repr=False)
    _others: list[Settings] = field(default_factory=list, repr=False)

    @property
    def settings(self) -> Settings:
        """The settings of this invocation, read once. Raises ConfigurationError."""
        if self._settings is None:
            self._settings = self._load(url=self.url, target=self.target)
        return self._settings

    def settings_of(self, target: str) -> Settings:
        """The settings of another database that the configuration names. Raises ConfigurationError."""
        settings = self._load(url=None, target=target)
        self._others.append(settings)
        return settings

    def _load(self, *, url: str | None, target: str | None) -> Settings:
        from govern import config

        return config.load(
            config=self.config,
            url=url,
            target=target,
            alembic_config=self.alembic_config,
            python=self.python,
            section=self.section,
        )

    @property
    def known_settings(self) -> Settings | None:
        """The same, if they were read; None where the command did not get so far."""
        return self._settings

    def report(
        self, problem: Problem | None = None, *, entries: tuple[Entry, ...] = (), **data: object
    ) -> Report:
        """A report of this command up to now: for what ends before, or without, a report of its own."""
        return Report(
            command=self.command,
            started_at=self.started_at,
            duration_ms=round((time.monotonic() - self._started) * 1000),
            entries=entries,
            target=self._target(),
            problem=problem,
            data=data,
        )

    def _target(self) -> Target | None:
        if self._settings is None or self._settings.url is None:
            return None
        from govern.database.url import DatabaseUrl

        try:
            url = DatabaseUrl.parse(self._settings.url)
            return Target(name=self._settings.target, url=url.redacted, dialect=url.dialect)
        except (GovernError, ValueError):
            return None  # the URL is the very thing that is wrong

    @property
    def secrets(self) -> tuple[str, ...]:
        """URLs whose passwords must not reach any output."""
        urls = [self.url]
        for settings in filter(None, (self._settings, *self._others)):
            urls += [settings.url, settings.scratch_url]
        return tuple(url for url in urls if url)
