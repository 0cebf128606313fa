"""Health as an ASGI application (https://asgi.readthedocs.io), on the standard library alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

from govern.web.health import Health

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Coroutine[Any, Any, None]]


def asgi_app(health: Health) -> AsgiApp:
    """Answers the paths of ``govern.web.health``; mounted below a prefix, those below it. Reads no body."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(health, receive, send)
        elif scope["type"] == "http":
            await _answer(health, scope, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    return app


async def _answer(health: Health, scope: Message, send: Send) -> None:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    answer = await health.answer_async(path, scope["method"])
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})


async def _live(health: Health, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await asyncio.to_thread(health.close)
            await send({"type": "lifespan.shutdown.complete"})
            return
