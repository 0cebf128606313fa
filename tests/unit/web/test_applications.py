"""The ASGI and the WSGI application: what a server of either kind hands in and gets back. No database is there."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from govern import config
from govern.errors import ConfigurationError, ToolMissing
from govern.web.asgi import asgi_app
from govern.web.health import Health
from govern.web.serving import serve
from govern.web.wsgi import wsgi_app


@pytest.fixture
def health(tmp_path: Path) -> Health:
    """Of a file that is not there."""
    (tmp_path / "govern.toml").touch()
    return Health(f"sqlite:///{tmp_path}/none.sqlite", config=tmp_path / "govern.toml")


def ask_asgi(
    health: Health, path: str, method: str = "GET", **scope: str
) -> tuple[int, Mapping[str, str], bytes]:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("nobody reads the body")

    async def send(message: Any) -> None:
        sent.append(message)

    asked = {"type": "http", "path": path, "method": method, "root_path": "", **scope}
    asyncio.run(asgi_app(health)(asked, receive, send))
    start, body = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, body["body"]


def ask_wsgi(health: Health, path: str, method: str = "GET") -> tuple[int, Mapping[str, str], bytes]:
    environment: dict[str, Any] = {
        "PATH_INFO": path,
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
    }
    setup_testing_defaults(environment)
    started: list[Any] = []

    def start(*told: Any) -> Any:
        started.append(told)
        return _refuse_to_write

    answered = validator(wsgi_app(health))(environment, start)
    body = b"".join(answered)
    answered.close()  # type: ignore[attr-defined]  # the validator wants it
    status, headers = started[0][:2]
    return int(status.split()[0]), {name.lower(): value for name, value in headers}, body


def _refuse_to_write(_: bytes) -> None:
    raise AssertionError("nobody writes but by returning")


@pytest.mark.parametrize("ask", [ask_asgi, ask_wsgi])
def test_both_give_the_same_answers(health: Health, ask: Any) -> None:
    status, headers, body = ask(health, "/health/ping")
    assert (status, json.loads(body)) == (200, {"status": "ok", "message": "pong"})
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"
    assert int(headers["content-length"]) == len(body)

    assert ask(health, "/health/ping", "HEAD") == (200, headers, b"")
    assert ask(health, "/health/nothing")[0] == 404
    status, headers, _ = ask(health, "/health", "POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")

    status, _, body = ask(health, "/health")
    assert (status, json.loads(body)["database"]["exists"]) == (503, False)
    assert str(health).encode() not in body


def test_mounted_below_a_prefix_it_answers_below_it(health: Health) -> None:
    assert ask_asgi(health, "/ops/health/ping", root_path="/ops")[0] == 200
    assert ask_asgi(health, "/ops/health/ping")[0] == 404


def test_it_lives_and_ends_with_its_server(health: Health) -> None:
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(asgi_app(health)({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_url_that_is_none_is_told_before_anybody_asks() -> None:
    with pytest.raises(ConfigurationError):
        Health("mysql://localhost/app")


def test_without_the_package_metrics_say_how_to_install_it(
    health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "govern.web.metrics", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    answer = health.answer("/metrics")
    assert answer.status == 501
    assert b"pip install 'govern[web]'" in answer.body


def test_without_the_package_serve_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    settings = config.load(start=tmp_path, url=f"sqlite:///{tmp_path}/none.sqlite", environ={})
    with pytest.raises(ToolMissing) as told:
        serve(settings, host="127.0.0.1", port=0, unix=None, judges_backups=True, narrate=lambda _: None)
    assert told.value.next == "pip install 'govern[web]'"
