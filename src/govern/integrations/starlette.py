"""Starlette: a lifespan that refuses, the health routes, and the monitor's page.

::

    app = Starlette(
        routes=[*router(engine).routes, Mount("/internal", dashboard(engine, authenticate=name_of_admin))],
        lifespan=lifespan(engine),
    )
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Unpack

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from govern.integrations.asgi import Authenticate, mount_monitor, validate_in_thread
from govern.integrations.options import DashboardOptions, HealthOptions, StartupOptions
from govern.startup import HasUrl
from govern.web.asgi import AsgiApp
from govern.web.health import PATHS, Health

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]
"""What Starlette and FastAPI take as ``lifespan``; it yields a state for the requests, or None."""


def lifespan(
    engine_or_url: HasUrl | str, *, then: Lifespan | None = None, **options: Unpack[StartupOptions]
) -> Lifespan:
    """A lifespan that fails, and with it the server's start, where the database is not the right one.

    ``then``: the application's own, entered only on the right schema; its state is passed on.
    ``options``: those of ``validate_on_startup``.
    """

    @asynccontextmanager
    async def validated(app: Any) -> AsyncIterator[Any]:
        await validate_in_thread(engine_or_url, **options)
        if then is None:
            yield None
        else:
            async with then(app) as state:
                yield state

    return validated


def router(engine_or_url: HasUrl | str, **options: Unpack[HealthOptions]) -> Router:
    """The health routes; mount it, or take its ``routes``. ``options``: those of ``Health``."""
    health = Health(engine_or_url, **options)
    return Router([Route(path, _endpoint(health, path), include_in_schema=False) for path in PATHS])


def _endpoint(health: Health, path: str) -> Callable[[Request], Any]:
    async def answer(_: Request) -> Response:
        found = await health.answer_async(path)
        return Response(found.body, status_code=found.status, headers=dict(found.headers))

    return answer


def dashboard(
    engine_or_url: HasUrl | str,
    *,
    authenticate: Authenticate | None = None,
    **options: Unpack[DashboardOptions],
) -> AsgiApp:
    """The monitor's page, ``/admin/database-health``, and its API, ``/api/database-health``, below where it is mounted.

    ``authenticate``: gets a Starlette request and returns the name of who asks, or None; without it
    the secret of GOVERN_MONITOR_TOKEN is asked for. ``options``: those of ``DashboardOptions``.
    """
    return mount_monitor(engine_or_url, authenticate, Request, **options)
