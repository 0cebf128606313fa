"""What one worker of a run needs of the project: each part is made when it is first asked for, and gone at the end."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from urllib.parse import urlsplit

import pytest

from govern import config as configuration
from govern.api.project import Project, find_chain_problems, read_project
from govern.config import Settings
from govern.core.finding import Finding, Severity
from govern.database.copies import Copies
from govern.database.target import throwaway_like
from govern.database.url import DatabaseUrl
from govern.declared import Declared, declared_by_revisions
from govern.errors import CouldNotCheck, GovernError

_OPEN = pytest.StashKey["Workbench"]()


def open_workbench(config: pytest.Config) -> Workbench:
    """The run's; closed when pytest ends. Raises ConfigurationError."""
    if _OPEN not in config.stash:
        bench = Workbench(_load_settings(config))
        config.add_cleanup(bench.close)
        config.stash[_OPEN] = bench
    return config.stash[_OPEN]


def _load_settings(config: pytest.Config) -> Settings:
    given: str = config.getini("govern_config")
    folder = config.inipath.parent if config.inipath else config.rootpath
    return configuration.load(
        config=folder / given if given else None,
        target=config.getini("govern_target") or None,
        start=config.rootpath,
    )


class ChainBroken(CouldNotCheck):
    """The revisions cannot be walked, so nothing can be made of them."""


class Workbench:
    """The project, a database that its revisions made, and copies of that."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closing = ExitStack()
        self._failure: GovernError | None = None

    def close(self) -> None:
        """Drops what was made."""
        self._closing.close()

    @cached_property
    def project(self) -> Project:
        return read_project(self.settings)

    @cached_property
    def chain_problems(self) -> tuple[Finding, ...]:
        return find_chain_problems(self.project)

    @property
    def what_breaks_the_chain(self) -> Finding | None:
        """Why the revisions cannot be walked at all; None where they can: two heads are walked, too."""
        return next((one for one in self.chain_problems if one.severity is Severity.CRITICAL), None)

    @cached_property
    def like(self) -> DatabaseUrl:
        """The database whose engine and major version all others here have; it is not written to."""
        return throwaway_like(self.settings)

    @property
    def drivername(self) -> str:
        """The scheme of the project's own URL: ``postgresql+asyncpg``."""
        return urlsplit(self.settings.url or self.like.text).scheme

    @property
    def revisions(self) -> Declared:
        """The revisions, replayed in a scratch database that nobody changes.

        Raises ChainBroken, or ReplayFailed, and the same again when it is asked again.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return self._revisions
        except GovernError as error:
            self._failure = error
            raise

    @cached_property
    def _revisions(self) -> Declared:
        if (first := self.what_breaks_the_chain) is not None:
            place = f"{first.subject.location}: " if first.subject.location else ""
            raise ChainBroken(
                f"the revision chain is broken: {first.message}", why=place + first.why, next=first.remedy
            )
        heads = self.project.chain.effective_heads
        return self._closing.enter_context(declared_by_revisions(self.settings, heads, like=self.like))

    @cached_property
    def copies(self) -> Copies:
        """Raises as ``revisions`` does."""
        copies = Copies(self.revisions.url, label="pytest")
        self._closing.callback(copies.close)
        return copies
