"""FastAPI: a lifespan that refuses, a router with the health routes, and the monitor's page.

::

    app = FastAPI(lifespan=lifespan(engine))
    app.include_router(router(engine))
    app.mount("/internal", dashboard(engine, authenticate=name_of_admin))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Unpack

from fastapi import APIRouter, Response

from govern.integrations.options import HealthOptions
from govern.integrations.starlette import Lifespan, dashboard, lifespan
from govern.startup import HasUrl
from govern.web.health import METHODS, PATHS, Health

__all__ = ["Lifespan", "dashboard", "lifespan", "router"]


def router(engine_or_url: HasUrl | str, **options: Unpack[HealthOptions]) -> APIRouter:
    """The health routes, for ``include_router``, with or without a prefix; they are not in the OpenAPI schema.

    ``options``: those of ``Health``.
    """
    health = Health(engine_or_url, **options)
    routes = APIRouter(include_in_schema=False)
    for path in PATHS:
        routes.add_api_route(path, _endpoint(health, path), methods=list(METHODS))
    return routes


def _endpoint(health: Health, path: str) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        found = await health.answer_async(path)
        return Response(found.body, status_code=found.status, headers=dict(found.headers))

    return answer
