"""Health as a WSGI application (PEP 3333), on the standard library alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from govern.web.health import Health

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    WsgiApp = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


def wsgi_app(health: Health) -> WsgiApp:
    """Answers the paths of ``govern.web.health``; mounted below a prefix, those below it. Reads no body."""

    def app(environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environment["REQUEST_METHOD"]
        answer = health.answer(environment.get("PATH_INFO", ""), method)
        headers = [(name.title(), value) for name, value in answer.headers]
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [b"" if method == "HEAD" else answer.body]

    return app
