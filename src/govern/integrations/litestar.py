"""Litestar: a plugin that refuses to start and adds the health routes; both alone, too; and the monitor's page.

::

    app = Litestar(
        route_handlers=[*handlers, dashboard(engine, authenticate=name_of_admin)],
        plugins=[GovernPlugin(engine)],
    )
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Unpack

from litestar import Litestar, Request, Response, Router, asgi, get
from litestar.config.app import AppConfig
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.plugins import InitPlugin
from litestar.types import Receive, Scope, Send

from govern.integrations.asgi import Authenticate, mount_monitor, validate_in_thread
from govern.integrations.options import DashboardOptions, HealthOptions, StartupOptions
from govern.startup import HasUrl
from govern.web.health import PATHS, Health


class GovernPlugin(InitPlugin):
    """Validates before anything of the application's own starts, and answers below ``path``."""

    def __init__(
        self,
        engine_or_url: HasUrl | str,
        *,
        path: str = "/",
        judges_backups: bool = True,
        **options: Unpack[StartupOptions],
    ) -> None:
        self._engine_or_url = engine_or_url
        self._path = path
        self._judges_backups = judges_backups
        self._options = options

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        health: HealthOptions = {
            "config": self._options.get("config"),
            "judges_backups": self._judges_backups,
        }
        app_config.lifespan = [lifespan(self._engine_or_url, **self._options), *(app_config.lifespan or ())]
        app_config.route_handlers.append(router(self._engine_or_url, path=self._path, **health))
        return app_config


def lifespan(
    engine_or_url: HasUrl | str, **options: Unpack[StartupOptions]
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """One of ``Litestar(lifespan=[…])``, the first, that fails where the database is not the right one."""

    @asynccontextmanager
    async def validated(_: Litestar) -> AsyncIterator[None]:
        await validate_in_thread(engine_or_url, **options)
        yield

    return validated


def router(engine_or_url: HasUrl | str, *, path: str = "/", **options: Unpack[HealthOptions]) -> Router:
    """The health routes below ``path``; they are not in the OpenAPI schema. ``options``: those of ``Health``."""
    health = Health(engine_or_url, **options)
    return Router(path, route_handlers=[_handler(health, name) for name in PATHS], include_in_schema=False)


def _handler(health: Health, path: str) -> HTTPRouteHandler:
    async def answer() -> Response[Any]:
        found = await health.answer_async(path)
        return Response(found.body, status_code=found.status, headers=dict(found.headers))

    return get(path)(answer)


def _make_request(scope: Any) -> Request[Any, Any, Any]:
    return Request(scope)


def dashboard(
    engine_or_url: HasUrl | str,
    *,
    path: str = "/internal",
    authenticate: Authenticate | None = None,
    **options: Unpack[DashboardOptions],
) -> ASGIRouteHandler:
    """The monitor's page at ``/admin/database-health`` and its API at ``/api/database-health``, below ``path``.

    ``authenticate``: gets a Litestar request and returns the name of who asks, or None; without it
    the secret of GOVERN_MONITOR_TOKEN is asked for. ``options``: those of ``DashboardOptions``.
    """
    app = mount_monitor(engine_or_url, authenticate, _make_request, **options)

    prefix = path.rstrip("/")

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        # Litestar hands on what is left of the path, with a slash at its end, and says nothing of what it took off
        root = scope.get("root_path", "") + prefix
        below = scope["path"].removesuffix("/")
        await app({**scope, "root_path": root, "path": root + below}, receive, send)  # type: ignore[arg-type]

    return asgi(path, is_mount=True, copy_scope=True, exclude_from_csrf=True)(answer)
