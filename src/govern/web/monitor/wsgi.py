"""The monitor's API as a WSGI application (PEP 3333), on the standard library alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from govern.web.monitor.request import LONGEST_BODY, Request

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from govern.web.monitor.api import MonitorApi

    WsgiApp = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


def wsgi_app(api: MonitorApi) -> WsgiApp:
    """Answers below ``/api/database-health``, wherever it is mounted."""

    def app(environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request.below(
            environment.get("PATH_INFO", ""),
            method=environment["REQUEST_METHOD"],
            headers=_read_headers(environment),
            body_bytes=_measure_body(environment),
            client=environment.get("REMOTE_ADDR", ""),
        )
        reply = api.answer(request)
        headers = [(name.title(), value) for name, value in reply.headers]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [b"" if request.method == "HEAD" else reply.body]

    return app


def _read_headers(environment: WSGIEnvironment) -> dict[str, str]:
    return {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environment.items()
        if name.startswith("HTTP_")
    }


def _measure_body(environment: WSGIEnvironment) -> int:
    """Bytes that were announced; a body of unknown length is too long."""
    if "chunked" in environment.get("HTTP_TRANSFER_ENCODING", "").lower():
        return LONGEST_BODY + 1
    announced = environment.get("CONTENT_LENGTH") or "0"
    return int(announced) if announced.isascii() and announced.isdecimal() else LONGEST_BODY + 1
