"""Litestar: a plugin that refuses to start and adds the health routes; both alone, too.

::

    app = Litestar(route_handlers=[…], plugins=[GovernPlugin(engine)])
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Unpack

from litestar import Litestar, Response, Router, get
from litestar.config.app import AppConfig
from litestar.handlers import HTTPRouteHandler
from litestar.plugins import InitPlugin

from govern.integrations.asgi import validate_in_thread
from govern.integrations.options import HealthOptions, StartupOptions
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
