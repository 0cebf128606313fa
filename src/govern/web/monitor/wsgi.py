"""The monitor's API and page as a WSGI application (PEP 3333), on the standard library alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from govern.web.monitor.mounted import Answering, choose
from govern.web.monitor.request import LONGEST_BODY, Reply, Request, measure, say

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    WsgiApp = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


def wsgi_app(*answering: Answering) -> WsgiApp:
    """One of them answers wherever it is mounted; several of them each below its own prefix."""

    def app(environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        reply = _answer(answering, environment)
        headers = [(name.title(), value) for name, value in reply.headers]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [b"" if environment["REQUEST_METHOD"] == "HEAD" else reply.body]

    return app


def _answer(answering: tuple[Answering, ...], environment: WSGIEnvironment) -> Reply:
    path = environment.get("PATH_INFO", "")
    one = choose(answering, path)
    if one is None:
        return say(404, "there is nothing at this path")
    body, size = _read_body(environment)
    return one.answer(
        Request.below(
            path,
            prefix=one.prefix,
            root=environment.get("SCRIPT_NAME", ""),
            method=environment["REQUEST_METHOD"],
            query=environment.get("QUERY_STRING", ""),
            headers=_read_headers(environment),
            body=body,
            body_bytes=size,
            is_encrypted=environment.get("wsgi.url_scheme") == "https",
            client=environment.get("REMOTE_ADDR", ""),
        )
    )


def _read_headers(environment: WSGIEnvironment) -> dict[str, str]:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environment.items()
        if name.startswith("HTTP_")
    }
    return headers | {"content-type": environment.get("CONTENT_TYPE", "")}


def _read_body(environment: WSGIEnvironment) -> tuple[bytes, int]:
    """The body, and its size in bytes as announced; one of unknown length is too large, and not read."""
    if "chunked" in environment.get("HTTP_TRANSFER_ENCODING", "").lower():
        return b"", LONGEST_BODY + 1
    size = measure(environment.get("CONTENT_LENGTH") or "0")
    if size is None or size > LONGEST_BODY:
        return b"", LONGEST_BODY + 1
    return environment["wsgi.input"].read(size) if size else b"", size
