"""Starlette: a lifespan that refuses, and the health routes.

::

    app = Starlette(routes=[*router(engine).routes], lifespan=lifespan(engine))
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Unpack

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from govern.integrations.asgi import validate_in_thread
from govern.integrations.options import HealthOptions, StartupOptions
from govern.startup import HasUrl
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
