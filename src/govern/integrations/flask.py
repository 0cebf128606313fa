"""Flask: ``init_app``, which ends the process where the database is not the right one, and adds the health routes.

Validated is what is going to serve: under ``flask run`` and under any other program, such as gunicorn; not
under another command of ``flask`` and not below an env.py: what makes a database right has to run on a wrong one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Unpack

import click
from flask import Blueprint, Flask, Response
from flask.cli import ScriptInfo, run_command

from govern.errors import ConfigurationError
from govern.integrations.options import HealthOptions, StartupOptions
from govern.integrations.process import validate_or_exit
from govern.startup import HasUrl
from govern.web.health import PATHS, Health

EngineOrUrl = HasUrl | str
_GOVERNS_CHILD = "govern_child"
"""The process in which ``govern migrate`` runs Alembic, and in which the models are imported."""


def init_app(
    app: Flask,
    engine: EngineOrUrl | Callable[[], EngineOrUrl] | None = None,
    *,
    health_prefix: str | None = "",
    judges_backups: bool = True,
    **options: Unpack[StartupOptions],
) -> None:
    """Call it in the application factory, after the extensions whose database it is.

    ``engine``: an engine or a URL, or a function that returns one, called in the application's context; None: the
    engine of Flask-SQLAlchemy, else ``SQLALCHEMY_DATABASE_URI``.
    ``health_prefix``: below which path the health routes are; None: they are not added. ``judges_backups`` as in
    ``Health``.
    ``options``: those of ``validate_on_startup``.

    Raises SystemExit, as ``validate_or_exit`` does, and ConfigurationError where there is no engine.
    """
    found = _find_engine(app, engine)
    if is_going_to_serve():
        validate_or_exit(found, **options)
    if health_prefix is not None:
        routes = blueprint(found, config=options.get("config"), judges_backups=judges_backups)
        app.register_blueprint(routes, url_prefix=health_prefix)


def is_going_to_serve() -> bool:
    """Whether requests will come.

    Not in a command of ``flask`` other than ``flask run``, and not where an env.py makes the application.
    """
    if _GOVERNS_CHILD in sys.modules or _is_env_running():
        return False
    context = click.get_current_context(silent=True)
    if context is None or context.find_object(ScriptInfo) is None:
        return True
    return context.command is run_command


def _is_env_running() -> bool:
    """Whether this is below Alembic: its ``context`` answers while an env.py runs, and else raises NameError."""
    context = sys.modules.get("alembic.context")
    if context is None:
        return False
    try:
        context.is_offline_mode()
    except NameError:
        return False
    return True


def blueprint(engine_or_url: EngineOrUrl, **options: Unpack[HealthOptions]) -> Blueprint:
    """The health routes. ``options``: those of ``Health``."""
    health = Health(engine_or_url, **options)
    routes = Blueprint("govern", __name__)
    for path in PATHS:
        routes.add_url_rule(path, endpoint=path.strip("/").replace("/", "_"), view_func=_view(health, path))
    return routes


def _view(health: Health, path: str) -> Callable[[], Response]:
    def answer() -> Response:
        found = health.answer(path)
        return Response(found.body, status=found.status, headers=dict(found.headers))

    return answer


def _find_engine(app: Flask, engine: EngineOrUrl | Callable[[], EngineOrUrl] | None) -> EngineOrUrl:
    with app.app_context():
        if callable(engine):
            return engine()
        if engine is not None:
            return engine
        if (extension := app.extensions.get("sqlalchemy")) is not None:
            found: EngineOrUrl = extension.engine
            return found
    url: str | None = app.config.get("SQLALCHEMY_DATABASE_URI")
    if url is None:
        raise ConfigurationError(
            "govern does not know the application's database",
            why="no engine was given, and the application has neither Flask-SQLAlchemy nor SQLALCHEMY_DATABASE_URI",
            next="give one: init_app(app, engine)",
        )
    return url
