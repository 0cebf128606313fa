"""One run: the request, Alembic's configuration for it, and what is put around env.py."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .application import application_context
from .configuration import make_configuration
from .event_loop import run_in_fitting_thread
from .hook import Hook, call_hook
from .journal import Journal
from .metadata import load_models
from .parent import Parent, Stop
from .redirection import Redirection
from .sqlite import is_left_to_sqlite3

OLDEST = {"sqlalchemy": (1, 4), "alembic": (1, 11)}


class Found(BaseException):
    """Carries what env.py gives to ``context.configure`` out of it. No Exception, as ``Stop``."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__("configure")
        self.options = options


class Session:
    """What this process was asked to do, and all it needs for that."""

    config: Any
    redirection: Redirection
    hook: Hook

    def __init__(self, parent: Parent, request: dict[str, Any]) -> None:
        self.parent = parent
        self.request = request
        self.journal = Journal(parent)
        self.versions: dict[str, str] = {}
        self.wants_options = False
        self.began_before_configure = False

    @contextlib.contextmanager
    def prepared(self) -> Iterator[None]:
        """Checks versions, puts redirection, journal and configuration in place, and enters the project's context."""
        self.versions = _check_versions()
        # as with ``python -m alembic``; not before: a project's own folder may be called alembic, too
        sys.path.insert(0, str(Path.cwd()))
        self.parent.emit("hello", **self.versions)
        self.redirection = Redirection(self.parent, self.request, self.journal)
        self.redirection.install()
        self.hook = call_hook(self.request["hook"])
        with self.hook.context:
            self.config = make_configuration(self.request, self.redirection, self.hook.config)
            self._wrap_configure()
            _wrap_env()
            with application_context(Path(self.request["script_location"])):
                yield

    def load_models(self) -> list[Any]:
        """The metadata that the settings name, else the hook's; empty where env.py is to be asked."""
        return load_models(self.request["models"]) if self.request["models"] else self.hook.metadatas

    def interrupt(self) -> None:
        """Cancels the statement that runs, then raises KeyboardInterrupt in the main thread."""
        if hasattr(self, "redirection"):
            self.redirection.cancel_statements()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def cut(self) -> None:
        """Breaks the connections on which an answer is waited for that does not come."""
        self.redirection.silence.cut()

    def _wrap_configure(self) -> None:
        from alembic.runtime.environment import EnvironmentContext

        original = EnvironmentContext.configure

        def configure(context: Any, *args: Any, **options: Any) -> None:
            self._refuse_several_databases(options)
            if self.wants_options:
                raise Found(options)
            self._adjust(options, args[0] if args else options.get("connection"))
            context.context_opts["fn"] = self.journal.follow(context.context_opts.get("fn"))
            original(context, *args, **options)

        EnvironmentContext.configure = configure  # type: ignore[method-assign, assignment]

    def _refuse_several_databases(self, options: dict[str, Any]) -> None:
        """As Alembic's multidb template migrates them: each part of a revision would run on the one target."""
        names = [name for name in re.split(r",\s*", self.config.get_main_option("databases") or "") if name]
        if len(names) > 1 and options.get("upgrade_token"):
            raise Stop("several_databases", names=names)

    def _adjust(self, options: dict[str, Any], connection: Any) -> None:
        if self.request["command"] == "revision" and options.get("target_metadata") is None:
            options["target_metadata"] = self.load_models() or None
            self._see_nothing(options)
        if connection is None:
            return
        self.began_before_configure |= bool(connection.in_transaction())
        if self.request["command"] == "walk":
            options["transaction_per_migration"] = True  # what is not committed nobody else can look at
        if connection.dialect.name == "sqlite" and is_left_to_sqlite3(connection):
            options.setdefault("transactional_ddl", True)

    def _see_nothing(self, options: dict[str, Any]) -> None:
        """Without models, autogenerate would drop all that there is: the request has the statements instead."""
        if options["target_metadata"] is None and self.request["may_lack_models"]:
            from sqlalchemy import MetaData

            options["target_metadata"] = MetaData()
            options["include_object"] = options["include_name"] = lambda *_: False


def _wrap_env() -> None:
    from alembic.script import ScriptDirectory

    run_env = ScriptDirectory.run_env

    def run(script: Any) -> None:
        run_in_fitting_thread(lambda: run_env(script))

    ScriptDirectory.run_env = run  # type: ignore[method-assign, assignment]


def _check_versions() -> dict[str, str]:
    """Python's, SQLAlchemy's and Alembic's versions; Stop where one is missing or too old."""
    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package, oldest in OLDEST.items():
        wanted = ".".join(map(str, oldest))
        if importlib.util.find_spec(package) is None:
            raise Stop("not_installed", package=package, oldest=wanted)
        version: str = importlib.import_module(package).__version__
        if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < oldest:
            raise Stop("too_old", package=package, version=version, oldest=wanted)
        versions[package] = version
    return versions
