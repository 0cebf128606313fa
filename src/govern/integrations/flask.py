"""Flask: ``init_app``, which ends the process where the database is not the right one, and adds the health routes;
and ``dashboard``, the monitor's page.

Validated is what is going to serve: under ``flask run`` and under any other program, such as gunicorn; not
under another command of ``flask`` and not below an env.py: what makes a database right has to run on a wrong one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Unpack
from urllib.parse import urlencode

import click
from flask import Blueprint, Flask, Request, Response, request
from flask.cli import ScriptInfo, run_command

from govern.errors import ConfigurationError
from govern.integrations.options import DashboardOptions, HealthOptions, StartupOptions
from govern.integrations.process import validate_or_exit
from govern.startup import HasUrl
from govern.web.health import PATHS, Health

EngineOrUrl = HasUrl | str
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""All of them: the answer says which of them a path knows."""
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


Authenticate = Callable[[Request], str | None]
"""Gets Flask's request; returns the name of who asks, or None for who may not."""


def dashboard(
    app: Flask,
    engine: EngineOrUrl | Callable[[], EngineOrUrl] | None = None,
    *,
    prefix: str = "/internal",
    authenticate: Authenticate | None = None,
    **options: Unpack[DashboardOptions],
) -> Blueprint:
    """The monitor's page at ``/admin/database-health`` and its API at ``/api/database-health``, below ``prefix``.

    ``engine``: as of ``init_app``. ``authenticate``: without it the secret of GOVERN_MONITOR_TOKEN is asked for.
    ``options``: those of ``DashboardOptions``; ``secret`` is the application's SECRET_KEY if it is left out.

    What it returns is for whoever protects all forms of an application, as Flask-WTF does: ``csrf.exempt(…)``. The page
    protects its own.
    """
    from govern.integrations.mounting import MountedMonitor  # with all of the page, which few mount

    options.setdefault("secret", app.secret_key if isinstance(app.secret_key, str) else None)
    mounted = MountedMonitor(_find_engine(app, engine), has_users=authenticate is not None, **options)
    routes = Blueprint("govern_dashboard", __name__)

    def answer(**_: str) -> Response:
        actor = authenticate(request) if authenticate else None
        reply = mounted.answer(request.path.removeprefix(prefix), actor=actor, **_read_request(prefix))
        return Response(reply.body, status=reply.status, headers=list(reply.headers))

    for below in (mounted.page.prefix, mounted.api.prefix):
        for path in (below, f"{below}/<path:path>"):
            routes.add_url_rule(
                path, endpoint="answer", view_func=answer, methods=_METHODS, strict_slashes=False
            )
    app.register_blueprint(routes, url_prefix=prefix or None)
    return routes


def _read_request(prefix: str) -> dict[str, Any]:
    """As Flask and its proxy middleware understand it; the body again where a hook has read it as a form."""
    from govern.web.monitor.request import LONGEST_BODY

    size, body = request.content_length, b""
    if size is None and request.headers.get("Transfer-Encoding"):
        size = LONGEST_BODY + 1
    if size and size <= LONGEST_BODY:
        body = request.get_data() or urlencode(list(request.form.items(multi=True))).encode()
    return {
        "root": request.script_root + prefix,
        "method": request.method,
        "query": request.query_string.decode("latin-1"),
        "headers": {name.lower(): value for name, value in request.headers} | {"host": request.host},
        "body": body,
        "body_bytes": size or 0,
        "is_encrypted": request.is_secure,
        "client": request.remote_addr or "",
    }
