"""While rehearsing, database drivers connect to the copy alone.

SQLAlchemy's engines are sent there anyway (``redirection``); this is for revisions and env.py files that use a
driver directly. Where the target is PostgreSQL, SQLite files stay open to them: libraries keep their caches there.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .failure import is_of_project
from .parent import Stop

_ENTRANCES = {
    "postgresql": (
        ("psycopg", "connect"),
        ("psycopg", "Connection.connect"),
        ("psycopg", "AsyncConnection.connect"),
        ("psycopg2", "connect"),
        ("asyncpg", "connect"),
        ("asyncpg", "create_pool"),
        ("asyncpg.connection", "connect"),
        ("pg8000", "connect"),
        ("pg8000.dbapi", "connect"),
        ("pg8000.native", "Connection.__init__"),
    ),
    "sqlite": (("sqlite3", "connect"), ("sqlite3.dbapi2", "connect")),
}
"""By engine, where each driver is asked for a connection: module and path in it."""


class Confinement:
    """Wraps the drivers' entrances; those that are not installed have none."""

    def __init__(self, family: str) -> None:
        self._family = family
        self._is_open = False

    def install(self) -> None:
        for module, path in _ENTRANCES[self._family]:
            with contextlib.suppress(ImportError):
                self._wrap(importlib.import_module(module), path.split("."))

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """For the connection that leads to the copy."""
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False

    def _wrap(self, module: Any, path: list[str]) -> None:
        *holders, name = path
        holder = module
        for part in holders:
            holder = getattr(holder, part)
        connect: Callable[..., Any] = getattr(holder, name)
        place = "{}.{}".format(module.__name__, ".".join(path))

        def guarded(*arguments: Any, **options: Any) -> Any:
            if not self._is_open:
                raise Stop("elsewhere", driver=place, place=_find_caller())
            return connect(*arguments, **options)

        # a class method comes bound already; an initialiser takes its object as before
        is_method = holder is not module and name != "__init__"
        setattr(holder, name, staticmethod(guarded) if is_method else guarded)


def _find_caller() -> str | None:
    """The project's own line that asked for the connection: ``file, line n``."""
    for frame in reversed(traceback.extract_stack(sys._getframe(1))):
        path = Path(frame.filename).absolute()
        if is_of_project(path):
            return f"{path.relative_to(Path.cwd())}, line {frame.lineno}"
    return None
