"""The monitor's API and page as an ASGI application, on the standard library alone."""

from __future__ import annotations

import asyncio

from govern.web.asgi import AsgiApp, Message, Receive, Send
from govern.web.monitor.mounted import Answering, choose
from govern.web.monitor.request import LONGEST_BODY, Reply, Request, is_below, measure, say

_BODY_SECONDS = 5.0
_ONCE = ("host", "origin", "authorization", "cookie", "content-type")


def asgi_app(*answering: Answering) -> AsgiApp:
    """One of them answers wherever it is mounted; several of them each below its own prefix."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _send(await _answer(answering, scope, receive), scope, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    return app


async def _answer(answering: tuple[Answering, ...], scope: Message, receive: Receive) -> Reply:
    root = scope.get("root_path", "")
    path = _cut_root(scope["path"], root)
    one = choose(answering, path)
    if one is None:
        return say(404, "there is nothing at this path")
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in headers and key == "cookie":  # HTTP/2 may send them one by one
            value = f"{headers[key]}; ".encode("latin-1") + value
        elif key in headers and key in _ONCE:
            return say(400, f"the header {key} is there twice")
        headers[key] = value.decode("latin-1")
    if "transfer-encoding" in headers and "content-length" in headers:  # RFC 9112, 6.1: somebody smuggles
        return say(400, "the body has two lengths", ("connection", "close"))
    try:
        body, size = await asyncio.wait_for(_read_body(headers, receive), _BODY_SECONDS)
    except TimeoutError:
        return say(408, "the body did not come", ("connection", "close"))
    request = Request.below(
        path,
        prefix=one.prefix,
        root=root,
        method=scope["method"],
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=headers,
        body=body,
        body_bytes=size,
        is_encrypted=scope.get("scheme") == "https",
        client=(scope.get("client") or ("",))[0],
    )
    return await asyncio.to_thread(one.answer, request)


def _cut_root(path: str, root: str) -> str:
    """The path below where this is mounted. Of ``root`` a proxy may have taken off the first steps itself."""
    steps = root.strip("/").split("/")
    for at in range(len(steps)):
        mounted = "/" + "/".join(steps[at:])
        if is_below(path, mounted):
            return path.removeprefix(mounted)
    return path


async def _read_body(headers: dict[str, str], receive: Receive) -> tuple[bytes, int]:
    """The body, and its size in bytes, as it came or was announced; nothing of one that is too large."""
    size = measure(headers.get("content-length") or "0")
    if size is None or size > LONGEST_BODY:
        return b"", LONGEST_BODY + 1
    body, more = b"", True
    while more and len(body) <= LONGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return (body, len(body)) if len(body) <= LONGEST_BODY else (b"", len(body))


async def _send(reply: Reply, scope: Message, send: Send) -> None:
    headers = [(name.encode(), value.encode()) for name, value in reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})
