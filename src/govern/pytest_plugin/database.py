"""What the fixtures give to a test: a migrated database, the template it was copied from, and schemas as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from govern.core.changes import describe_change, diff
from govern.core.snapshot import Snapshot
from govern.core.wording import count_of
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl, DialectName
from govern.errors import ConfigurationError
from govern.pytest_plugin.drift import WATCH
from govern.pytest_plugin.telling import told
from govern.pytest_plugin.workbench import open_workbench
from govern.source.lock import render_lock

if TYPE_CHECKING:
    from sqlalchemy import Engine


class HasUrl(Protocol):
    """A SQLAlchemy engine, sync or async."""

    @property
    def url(self) -> Any: ...


class GovernDatabase:
    """A database with all revisions applied, and nobody else in it."""

    def __init__(self, address: DatabaseUrl, drivername: str) -> None:
        """``drivername``: the project's own, as SQLAlchemy writes it."""
        self._address = address
        self._drivername = drivername

    def __repr__(self) -> str:
        return f"GovernDatabase({self._address.redacted!r})"

    @property
    def dialect(self) -> DialectName:
        return self._address.dialect

    @cached_property
    def url(self) -> str:
        """As SQLAlchemy reads it, password included, with the driver that the project's own URL has."""
        return self.with_driver(_choose_driver(self.dialect, self._drivername))

    @property
    def conninfo(self) -> str:
        """As libpq, psycopg and asyncpg read it, password included. Raises ConfigurationError for SQLite."""
        if self.dialect == "sqlite":
            raise ConfigurationError("a SQLite database has no conninfo", next="take its path: .path")
        return self._address.conninfo

    @property
    def path(self) -> Path:
        """The file of a SQLite database. Raises ConfigurationError for PostgreSQL."""
        if self.dialect != "sqlite":
            raise ConfigurationError(
                "a PostgreSQL database has no path", next="take its address: .url or .conninfo"
            )
        return self._address.path

    def with_driver(self, drivername: str) -> str:
        """``url`` for another driver: ``with_driver("postgresql+asyncpg")``."""
        return f"{drivername}:{self._address.text.partition(':')[2]}"

    @cached_property
    def engine(self) -> Engine:
        """A synchronous SQLAlchemy engine, made when it is first asked for; disposed of after the test."""
        from sqlalchemy import create_engine, make_url

        is_async = getattr(make_url(self.url).get_dialect(), "is_async", False)
        return create_engine(self.with_driver(_choose_driver(self.dialect, "")) if is_async else self.url)

    def close(self) -> None:
        """Disposes of the engine, if there is one."""
        if "engine" in self.__dict__:
            self.engine.dispose()


class GovernTemplate:
    """What every ``govern_database`` of this worker is a copy of."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        with told():
            self._workbench = open_workbench(config)

    @contextmanager
    def copy(self, *, used_by: str = "a test", changes_schema: bool = False) -> Iterator[GovernDatabase]:
        """A copy for a fixture of your own, of whatever scope; dropped at the end of the block.

        ``used_by``: how it is called if its schema is not the declared one at the end; with ``changes_schema`` it is
        meant to be another.
        """
        with ExitStack() as stack:
            with told():
                address = stack.enter_context(self._workbench.copies.copy())
            database = GovernDatabase(address, self._workbench.drivername)
            stack.callback(database.close)
            yield database
            if not changes_schema:
                self._look_at(address, used_by)

    def _look_at(self, address: DatabaseUrl, used_by: str) -> None:
        if (watch := self._config.stash.get(WATCH, None)) is not None:
            with told():
                watch.look_at(address, used_by)

    @property
    def declared(self) -> Snapshot:
        """The schema as the revisions make it."""
        with told():
            return self._workbench.revisions.snapshot

    def read(self, database: GovernDatabase | HasUrl | str) -> Snapshot:
        """The schema of any database of this engine, as it is now."""
        text = database if isinstance(database, str) else _text_of(database)
        with told():
            return LiveDatabase(self._workbench.settings, DatabaseUrl.parse(text)).read_snapshot()


class GovernSnapshot:
    """Schemas as values: equal ones are equal, whatever rows there are."""

    def __init__(self, template: GovernTemplate, open_default: Callable[[], GovernDatabase]) -> None:
        self._template = template
        self._open_default = open_default

    @property
    def declared(self) -> Snapshot:
        """The schema as the revisions make it."""
        return self._template.declared

    def __call__(self, database: GovernDatabase | HasUrl | str | None = None) -> Snapshot:
        """The schema of a database, an engine's database or a URL's, as it is now."""
        return self._template.read(database or self._open_default())

    def text(self, database: GovernDatabase | HasUrl | str | None = None) -> str:
        """The same as ``govern snapshot`` prints it, one fact a line: for files that are compared."""
        return render_lock(self(database), ())


def explain_difference(left: Any, right: Any) -> list[str]:
    """For pytest: what the left schema has otherwise than the right one."""
    changes = diff(right, left)
    if not changes:
        return ["the two schemas have the same objects, but were read from different servers"]
    lead = f"{count_of(len(changes), 'difference')} between two schemas; the right one is what should be"
    return [lead, *(describe_change(change) for change in changes)]


def _text_of(database: GovernDatabase | HasUrl) -> str:
    if isinstance(database, GovernDatabase):
        return database.url
    url: Any = database.url
    return str(url.render_as_string(hide_password=False))


def _choose_driver(family: DialectName, own: str) -> str:
    from govern.revisions.child.drivers import choose_driver

    return choose_driver(family, own, asynchronous=False)
