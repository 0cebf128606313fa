"""What Starlette, FastAPI and Litestar have in common: validation inside an event loop, and the mounted page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Unpack, cast

from anyio import to_thread

from govern.core.report import Report
from govern.errors import GovernError
from govern.integrations.options import DashboardOptions, StartupOptions
from govern.integrations.validation import validate
from govern.startup import HasUrl
from govern.web.asgi import AsgiApp, Message, Receive, Send

Authenticate = Callable[[Any], Awaitable[str | None] | str | None]
"""Gets the framework's own request, without its body; returns the name of who asks, or None for who may not."""


async def validate_in_thread(engine_or_url: HasUrl | str, **options: Unpack[StartupOptions]) -> Report:
    """``validate`` in a thread: the loop lives while it looks and waits, and cancelling ends the wait.

    The error is raised without the way it came: servers print the whole traceback of a start that failed, and
    what to do would drown in it.
    """
    look = partial(validate, engine_or_url, **options)
    try:
        return await to_thread.run_sync(look, abandon_on_cancel=True)
    except GovernError as error:
        raise error.with_traceback(None) from None


def mount_monitor(
    engine_or_url: HasUrl | str,
    authenticate: Authenticate | None,
    make_request: Callable[[Message], Any],
    **options: Unpack[DashboardOptions],
) -> AsgiApp:
    """The monitor's page and API as an ASGI application. ``make_request``: of a scope, for ``authenticate``."""
    from govern.integrations.mounting import MountedMonitor, acting  # with all of the page, which few mount
    from govern.web.monitor import asgi_app

    mounted = MountedMonitor(engine_or_url, has_users=authenticate is not None, **options)
    answer = asgi_app(mounted.api, mounted.page)

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if authenticate is None or scope["type"] != "http":
            await answer(scope, receive, send)
            return
        with acting(await _ask(authenticate, make_request(scope))):
            await answer(scope, receive, send)

    return app


async def _ask(authenticate: Authenticate, request: Any) -> str | None:
    """A function that is not async may ask a database: it is called on a thread."""
    if iscoroutinefunction(authenticate):
        return await cast("Awaitable[str | None]", authenticate(request))
    name = await to_thread.run_sync(authenticate, request)
    return await name if isawaitable(name) else name
