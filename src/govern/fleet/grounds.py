"""What the jobs of a run share in one process: the project as read once, and each declared schema, made once.

Hundreds of databases stand at a handful of revisions: to replay these for each would be nearly all of the work.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from govern.api.declaring import declared_as
from govern.api.project import Project, find_chain_problems, read_project
from govern.checks.startup import Expectation
from govern.config import load
from govern.core.finding import Severity
from govern.database.live import LiveDatabase
from govern.database.url import DatabaseUrl
from govern.declared import Declared, ReplayFailed
from govern.errors import ConfigurationError, CouldNotCheck, GovernError
from govern.fleet.references import find_server
from govern.startup import read_expectation

_TRIES = 2
"""A replay may have failed for the sake of the server that it was tried on."""
_Key = tuple[object, ...]


@dataclass(slots=True)
class _Declaration:
    """One declared schema: in the making, made, or not to be had."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    declared: Declared | None = None
    errors: list[GovernError] = field(default_factory=list)


class Grounds:
    """Of one run; safe for threads. ``close`` drops the scratch databases of its declared schemas."""

    def __init__(self, folder: Path, config: Path | None) -> None:
        self._folder = folder
        self._config = config
        self._lock = threading.Lock()
        self._projects: dict[str, Project] = {}
        self._expectations: dict[str, Expectation] = {}
        self._is_walkable: bool | None = None
        self._declarations: dict[_Key, _Declaration] = {}
        self._open = ExitStack()

    def project_of(self, name: str, url: DatabaseUrl, schema: str | None = None) -> Project:
        """The project with this database, or one schema of it, as its target: its files are read once for each engine.

        Raises ConfigurationError.
        """
        with self._lock:
            if url.dialect not in self._projects:
                settings = load(config=self._config, start=self._folder, url=url.text)
                self._projects[url.dialect] = read_project(settings)
            project = self._projects[url.dialect]
        return replace(project, settings=replace(project.settings, url=url.text, target=name, schema=schema))

    def expectation_of(self, project: Project) -> Expectation:
        """What the application brings along for such a database; read once for each engine, too."""
        dialect = DatabaseUrl.parse(project.settings.url or "").dialect
        with self._lock:
            if dialect not in self._expectations:
                self._expectations[dialect] = read_expectation(project.settings, dialect)
            return self._expectations[dialect]

    def is_walkable(self, project: Project) -> bool:
        """Whether nothing is wrong with the revision files by themselves; asked once, for all engines."""
        with self._lock:
            if self._is_walkable is None:
                problems = find_chain_problems(project)
                self._is_walkable = all(one.severity < Severity.ERROR for one in problems)
            return self._is_walkable

    @contextmanager
    def declared_as(self, project: Project, live: LiveDatabase, against: str) -> Iterator[Declared]:
        """As ``declared_as``; made once for all databases that would get the same, and kept until ``close``."""
        one = self._find(_key_of(live, against))
        with one.lock:
            if one.declared is None:
                one.declared = self._make(one, project, live, against)
        yield one.declared

    def _find(self, key: _Key) -> _Declaration:
        with self._lock:
            return self._declarations.setdefault(key, _Declaration())

    def _make(self, one: _Declaration, project: Project, live: LiveDatabase, against: str) -> Declared:
        if len(one.errors) >= _TRIES:
            first = one.errors[0]  # an error has one report: it cannot be raised for several databases
            raise CouldNotCheck(first.what, why=first.why, next=first.next)
        stack = ExitStack()
        try:
            declared = stack.enter_context(declared_as(project, live, against))
        except (ReplayFailed, ConfigurationError) as error:
            one.errors.append(error)
            raise
        with self._lock:
            self._open.push(stack)
        return declared

    def close(self) -> None:
        """Nobody may be at work with it any more."""
        self._open.close()


def _key_of(live: LiveDatabase, against: str) -> _Key:
    """What a declared schema depends on: the server's major version, where revisions begin, and where names lead.

    Of one schema that is what the database's schemas share.
    """
    dialect = live.dialect
    with live.connect() as connection:
        version = dialect.read_server_version(connection)
        around: _Key = (find_server(live.url), live.url.database)
        if live.url.schema is None:
            homes = dialect.find_version_tables(connection, live.table)
            around = (dialect.judging().read_search_path(connection), homes)
        stamped = dialect.read_version_rows(connection, live.table)
    if against != "revision":
        stamped = ()
    elif stamped is None:
        stamped = live.read_only_stamp()
    return dialect.name, version.partition(".")[0], *around, against, stamped


_open_grounds: dict[str, Grounds] = {}
_opening = threading.Lock()


def grounds_of(run: str, folder: Path, config: Path | None) -> Grounds:
    """Those of a run in this process; opened by the first who asks."""
    with _opening:
        if run not in _open_grounds:
            _open_grounds[run] = Grounds(folder, config)
        return _open_grounds[run]


def leave_grounds(run: str) -> None:
    """Ends what the run has open in this process; nothing where it has nothing."""
    with _opening:
        grounds = _open_grounds.pop(run, None)
    if grounds is not None:
        grounds.close()
