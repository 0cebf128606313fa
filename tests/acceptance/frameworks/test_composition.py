"""What an application puts together: its own lifespan, prefixes, engines that come later, documents of its API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from litestar import Litestar
from sqlalchemy import Engine, create_engine
from starlette.applications import Starlette
from starlette.routing import Mount

from govern import SchemaRefused
from govern.errors import ConfigurationError
from govern.integrations import fastapi, flask, litestar, starlette
from tests.acceptance.program import Project, execute

pytestmark = pytest.mark.parametrize("governed", ["sqlite"], indirect=True)
HEALTH = ("/health", "/health/ping", "/health/database", "/metrics")


@pytest.fixture
def engine(governed: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The application's, which runs in its project's folder."""
    monkeypatch.chdir(governed.root)
    engine = create_engine(governed.database.text)
    yield engine
    engine.dispose()


@asynccontextmanager
async def own_lifespan(_: Any) -> AsyncIterator[dict[str, str]]:
    yield {"own": "state"}


async def ask(app: Any, path: str, method: str = "GET") -> int:
    """The status an ASGI application answers with."""
    said: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    await app(
        {**scope, "root_path": "", "headers": [], "http_version": "1.1", "scheme": "http"}, receive, send
    )
    status: int = said[0]["status"]
    return status


def test_an_own_lifespan_is_entered_on_the_right_schema_alone(governed: Project, engine: Engine) -> None:
    async def start(app: Any) -> Any:
        async with app.router.lifespan_context(app) as state:
            return state

    for make, module in ((Starlette, starlette), (FastAPI, fastapi)):
        app = make(lifespan=module.lifespan(engine, then=own_lifespan))
        assert asyncio.run(start(app)) == {"own": "state"}
        assert asyncio.run(start(make(lifespan=module.lifespan(engine)))) in (None, {})
    execute(governed.database, "DROP TABLE notes")
    warned = FastAPI(lifespan=fastapi.lifespan(engine, then=own_lifespan, on_invalid="warn"))
    assert asyncio.run(start(warned)) == {"own": "state"}
    with pytest.raises(SchemaRefused):
        asyncio.run(start(FastAPI(lifespan=fastapi.lifespan(engine, then=own_lifespan))))


def test_the_event_loop_lives_while_the_start_waits(governed: Project, engine: Engine) -> None:
    execute(governed.database, "DROP TABLE notes")

    async def start() -> int:
        beats = 0
        lifespan = starlette.lifespan(engine, wait_seconds=30)
        with anyio.move_on_after(1):
            async with anyio.create_task_group() as group:
                group.start_soon(lifespan(None).__aenter__)
                while True:
                    await anyio.sleep(0.01)
                    beats += 1
        return beats

    assert anyio.run(start) > 20


def test_health_routes_go_below_a_prefix_and_into_no_api_document(governed: Project, engine: Engine) -> None:
    api = FastAPI()
    api.include_router(fastapi.router(engine), prefix="/internal")
    mounted = Starlette(routes=[Mount("/internal", starlette.router(engine))])
    plugged = Litestar(plugins=[litestar.GovernPlugin(engine, path="/internal")])
    for app in (api, mounted, plugged):
        for path in HEALTH:
            assert asyncio.run(ask(app, f"/internal{path}")) == 200
            assert asyncio.run(ask(app, path)) == 404
    assert asyncio.run(ask(api, "/internal/health", "HEAD")) == 200
    assert api.openapi()["paths"] == {}
    assert not plugged.openapi_schema.paths


def test_flask_takes_an_engine_in_whatever_form_the_application_has_it(
    governed: Project, engine: Engine
) -> None:
    url = governed.database.text
    db = SQLAlchemy()

    def with_extension(app: Flask) -> None:
        app.config["SQLALCHEMY_DATABASE_URI"] = url
        db.init_app(app)
        flask.init_app(app)

    def with_setting(app: Flask) -> None:
        app.config["SQLALCHEMY_DATABASE_URI"] = url
        flask.init_app(app)

    ways = (
        with_extension,
        with_setting,
        lambda app: flask.init_app(app, engine, health_prefix="/internal"),
        lambda app: flask.init_app(app, lambda: engine),
        lambda app: flask.init_app(app, url, health_prefix=None),
    )
    found = []
    for way in ways:
        app = Flask("shop")
        way(app)
        with app.test_client() as client:
            found.append((client.get("/health").status_code, client.get("/internal/health").status_code))
    assert found == [(200, 404), (200, 404), (404, 200), (200, 404), (404, 404)]
    with pytest.raises(ConfigurationError, match="does not know the application's database"):
        flask.init_app(Flask("shop"))


def test_a_flask_application_that_is_refused_says_so_and_ends(
    governed: Project, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(governed.database, "DROP TABLE notes")
    with pytest.raises(SystemExit) as end:
        flask.init_app(Flask("shop"), engine)
    assert end.value.code == 4
    assert isinstance(end.value.__cause__, SchemaRefused)
    assert capsys.readouterr().err.startswith("error: the application refuses to start: ")
    flask.init_app(Flask("shop"), engine, on_invalid="warn")


def test_the_configuration_is_the_one_that_is_named(
    governed: Project, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    governed.write({"govern.toml": ""})
    monkeypatch.chdir(tmp_path.parent)
    with pytest.raises(SystemExit):
        flask.init_app(Flask("shop"), engine)
    flask.init_app(Flask("shop"), engine, config=governed.root / "govern.toml")
