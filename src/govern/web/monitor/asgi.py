"""The monitor's API as an ASGI application, on the standard library alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from govern.web.asgi import AsgiApp, Message, Receive, Send
from govern.web.monitor.request import LONGEST_BODY, Reply, Request, say

if TYPE_CHECKING:
    from govern.web.monitor.api import MonitorApi

_BODY_SECONDS = 5.0


def asgi_app(api: MonitorApi) -> AsgiApp:
    """Answers below ``/api/database-health``, wherever it is mounted."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _send(await _answer(api, scope, receive), scope, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    return app


async def _answer(api: MonitorApi, scope: Message, receive: Receive) -> Reply:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in headers and key in ("host", "origin", "authorization"):
            return say(400, f"the header {key} is there twice")
        headers[key] = value.decode("latin-1")
    try:
        size = await asyncio.wait_for(_measure_body(headers, receive), _BODY_SECONDS)
    except TimeoutError:
        return say(408, "the body did not come", ("connection", "close"))
    request = Request.below(
        scope["path"].removeprefix(scope.get("root_path", "")),
        method=scope["method"],
        headers=headers,
        body_bytes=size,
        client=(scope.get("client") or ("",))[0],
    )
    return await asyncio.to_thread(api.answer, request)


async def _measure_body(headers: dict[str, str], receive: Receive) -> int:
    """Bytes that came, or that were announced where they are too many to be read."""
    announced = headers.get("content-length", "")
    size = int(announced) if announced.isascii() and announced.isdecimal() else 0
    if size > LONGEST_BODY:
        return size
    size, more = 0, True
    while more and size <= LONGEST_BODY:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    return size


async def _send(reply: Reply, scope: Message, send: Send) -> None:
    headers = [(name.encode(), value.encode()) for name, value in reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})
