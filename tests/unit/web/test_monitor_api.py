"""Who may ask the monitor's API: every route of the table with everything that is wrong, and once with all right."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from govern.actions.notebook import Notebook
from govern.config import Settings, load
from govern.core.monitoring import Event, EventKind
from govern.database.monitoring import take_turn
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError
from govern.web.monitor import Access, MonitorApi, asgi_app, bearer, wsgi_app
from govern.web.monitor.access import Allowance, Door
from govern.web.monitor.api import ROUTES
from govern.web.monitor.request import LONGEST_BODY, PREFIX, Request
from govern.web.monitor.route import Route
from tests.unit.core.test_fixing import ISSUE

TOKEN = "correct-horse-battery-staple"
RIGHT = {"host": "localhost:8080", "authorization": f"Bearer {TOKEN}"}
HTML = '<script>alert("\'&")</script>'
WRONG: dict[str, tuple[dict[str, Any], int]] = {
    "no secret": ({"headers": {"host": "localhost"}}, 401),
    "a wrong secret": ({"headers": {**RIGHT, "authorization": "Bearer wrong"}}, 401),
    "an empty secret": ({"headers": {**RIGHT, "authorization": "Bearer "}}, 401),
    "the secret in another scheme": ({"headers": {**RIGHT, "authorization": f"Basic {TOKEN}"}}, 401),
    "a foreign Origin": ({"headers": {**RIGHT, "origin": "https://evil.example"}}, 403),
    "no Origin's Origin": ({"headers": {**RIGHT, "origin": "null"}}, 403),
    "a foreign page": ({"headers": {**RIGHT, "sec-fetch-site": "cross-site"}}, 403),
    "a foreign Host": ({"headers": {**RIGHT, "host": "evil.example"}}, 403),
    "a foreign Host that looks like ours": ({"headers": {**RIGHT, "host": "localhost.evil.example"}}, 403),
    "an oversize body": ({"body_bytes": LONGEST_BODY + 1}, 413),
    "PUT": ({"method": "PUT"}, 405),
    "DELETE": ({"method": "DELETE"}, 405),
    "OPTIONS, as a preflight": (
        {"method": "OPTIONS", "headers": {**RIGHT, "origin": "http://localhost:8080"}},
        405,
    ),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    with closing(sqlite3.connect(tmp_path / "app.sqlite")) as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    return load(start=tmp_path, url=f"sqlite:///{tmp_path / 'app.sqlite'}", environ={"USER": "tester"})


@pytest.fixture
def url(settings: Settings) -> DatabaseUrl:
    return DatabaseUrl.parse(settings.url or "")


@pytest.fixture
def notebook(settings: Settings, url: DatabaseUrl) -> Notebook:
    """With one issue, whose table has a name that nobody should have given it."""
    made = Notebook(settings, url)
    made.write(
        issues=(
            replace(
                ISSUE,
                table=f"public.{HTML}",
                message=HTML,
                first_seen=ISSUE.last_seen,
                evidence={"keys": ["key of a row"]},
            ),
        )
    )
    return made


@pytest.fixture
def api(settings: Settings, url: DatabaseUrl, notebook: Notebook) -> Iterator[MonitorApi]:
    made = MonitorApi(settings, url, access=bearer(TOKEN), hosts=frozenset({"localhost"}))
    yield made
    made.close()


@pytest.fixture
def active(url: DatabaseUrl) -> Iterator[None]:
    """A monitor that has its turn."""
    turn = take_turn(url, "test")
    assert turn is not None
    yield
    turn.close()


def path_of(route: Route) -> str:
    return route.path.format(key=ISSUE.key, id="20310506T120000Z-00000000")


def ask(api: MonitorApi, route: Route, **facts: Any) -> tuple[int, Any]:
    facts = {"method": route.method, "headers": RIGHT, **facts}
    reply = api.answer(Request.below(PREFIX + path_of(route), **facts))
    return reply.status, json.loads(reply.body)


every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")


@every_route
@pytest.mark.parametrize("what", WRONG)
def test_whoever_asks_wrongly_is_refused_and_nothing_is_done(
    api: MonitorApi, notebook: Notebook, active: None, route: Route, what: str
) -> None:
    facts, status = WRONG[what]
    assert ask(api, route, **facts)[0] == status
    assert notebook.read().requests == ()
    assert notebook.read_events() == ()


@every_route
def test_whoever_asks_rightly_is_answered(api: MonitorApi, active: None, route: Route) -> None:
    """The twin of all of these: an event that nobody knows is not found, and a person hears why."""
    expected = {"/check": 202, "/issues/{key}/fix": 202, "/history/{id}/rollback": 404}.get(route.path, 200)
    status, document = ask(api, route)
    assert status == expected
    if status == 404:
        assert document == {"message": "there is no such event"}


@every_route
def test_the_other_method_is_refused(api: MonitorApi, notebook: Notebook, route: Route) -> None:
    other = "POST" if route.method == "GET" else "GET"
    assert ask(api, route, method=other)[0] == 405
    assert notebook.read_events() == ()


@every_route
def test_without_a_secret_there_is_nothing_that_changes(
    settings: Settings, url: DatabaseUrl, notebook: Notebook, route: Route
) -> None:
    api = MonitorApi(settings, url, hosts=frozenset({"localhost"}))
    status, document = ask(api, route)
    assert status == (200 if route.is_open else 404)
    assert not (route.changes and route.is_open)
    said = json.dumps(document)
    assert "CREATE INDEX" not in said
    assert "key of a row" not in said
    assert "tester" not in said
    api.close()


@every_route
def test_html_in_names_and_texts_stays_harmless(api: MonitorApi, route: Route) -> None:
    reply = api.answer(Request.below(PREFIX + path_of(route), method=route.method, headers=RIGHT))
    headers = dict(reply.headers)
    assert b"<" not in reply.body
    assert headers["content-type"] == "application/json"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "access-control-allow-origin" not in headers


def test_issues_have_the_keys_of_the_contract(api: MonitorApi) -> None:
    _, document = ask(api, ROUTES[1])
    assert set(document) == {"critical_issues", "warnings"}
    [issue] = document["critical_issues"]
    assert issue["table"] == HTML
    contract = {"issue_type", "table", "column", "current_state", "expected_state"}
    assert contract | {"key", "rule", "severity"} <= set(issue)


def test_the_status_has_the_keys_of_the_contract(api: MonitorApi, notebook: Notebook, active: None) -> None:
    _, document = ask(api, ROUTES[0])
    contract = {
        "status": "running",
        "last_check": None,
        "total_fixes": 0,
        "active_critical_issues": 1,
        "next_check": None,
    }
    assert {name: document[name] for name in contract} == contract


def test_what_is_asked_is_written_down_with_who_asked(
    settings: Settings, url: DatabaseUrl, notebook: Notebook, active: None
) -> None:
    """The host application knows its people; a page of another origin cannot send the header."""
    access = Access(lambda request: request.headers.get("x-user"))
    api = MonitorApi(settings, url, access=access)
    alice = {"host": "app.example", "x-user": "alice"}
    fix = next(route for route in ROUTES if route.path.endswith("/fix"))
    assert ask(api, fix, headers={"host": "app.example"})[0] == 401
    assert ask(api, fix, headers=alice)[0] == 403
    assert notebook.read_events() == ()
    assert ask(api, fix, headers={**alice, "x-govern-request": "1"})[0] == 202
    [event] = notebook.read_events()
    assert (event.kind, event.actor, event.issue) == ("fix", "alice", ISSUE.key)
    [request] = notebook.read().requests
    assert (request.kind, request.issue) == ("fix", ISSUE.key)
    api.close()


def test_a_fix_is_rolled_back_by_the_monitor_once(api: MonitorApi, notebook: Notebook, active: None) -> None:
    def event(kind: EventKind, number: int, **facts: str) -> Event:
        return Event(
            id=f"20310506T12000{number}Z-00000000", kind=kind, actor="x", at=ISSUE.last_seen, **facts
        )

    route = ROUTES[-1]
    notebook.write(events=(event("fixed", 0, run="run-1", attempt="a"),))
    assert ask(api, route)[0] == 202
    [request] = notebook.read().requests
    assert (request.kind, request.run, request.actor) == ("rollback", "run-1", "api")
    notebook.write(events=(event("rolled-back", 2, run="run-1"),), done=(request,))
    assert ask(api, route) == (409, {"message": "it was rolled back already"})


def test_what_could_lose_data_is_not_fixed_for_anybody(
    api: MonitorApi, notebook: Notebook, active: None
) -> None:
    notebook.write(issues=(replace(ISSUE, loses_data=True),))
    fix = next(route for route in ROUTES if route.path.endswith("/fix"))
    status, document = ask(api, fix)
    assert status == 409
    assert "could lose data" in document["message"]
    assert notebook.read().requests == ()


def test_without_a_monitor_nobody_is_promised_anything(api: MonitorApi, notebook: Notebook) -> None:
    check = next(route for route in ROUTES if route.path == "/check")
    status, document = ask(api, check)
    assert (status, "govern monitor run" in document["message"]) == (409, True)
    assert notebook.read().requests == ()


def test_a_database_that_is_away_is_said_without_its_words(
    api: MonitorApi, url: DatabaseUrl, notebook: Notebook
) -> None:
    url.path.unlink()
    for route in ROUTES:
        if route.path != "/openapi.json":
            status, document = ask(api, route)
            assert status == 503
            assert str(url.path.parent) not in json.dumps(document)


def test_a_minute_has_so_many_changes_and_failures() -> None:
    now = [0.0]
    allowance = Allowance(10, clock=lambda: now[0])
    assert [allowance.take() for _ in range(11)] == [True] * 10 + [False]
    now[0] += 6
    assert [allowance.take(), allowance.take()] == [True, False]
    door = Door(bearer(TOKEN), hosts=None, clock=lambda: now[0])
    statuses = []
    for _ in range(21):
        refused = door.identify(Request(method="GET", path="/status"), changes=False)
        assert not isinstance(refused, str)
        statuses.append(refused.status)
    assert statuses == [401] * 20 + [429]
    assert door.identify(Request(method="GET", path="/", headers=RIGHT), changes=False) == "api"


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="too short"):
        bearer("hunter2")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "[::1]:8080", "LOCALHOST", "10.1.2.3"])
def test_addresses_in_numbers_are_never_foreign(api: MonitorApi, host: str) -> None:
    assert ask(api, ROUTES[0], headers={**RIGHT, "host": host})[0] == 200


def test_openapi_describes_every_route(api: MonitorApi) -> None:
    _, document = ask(api, next(route for route in ROUTES if route.path == "/openapi.json"))
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described == {(PREFIX + route.path, route.method.lower()) for route in ROUTES}
    assert document["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}


def asgi(api: MonitorApi, *, path: str, headers: dict[str, str], chunks: tuple[bytes, ...] = (b"",)) -> int:
    """The status of a POST."""
    sent: list[Any] = []
    waiting = list(chunks)

    async def receive() -> Any:
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(asgi_app(api)(scope, receive, send))
    return int(sent[0]["status"])


def test_asgi_reads_no_more_of_a_body_than_is_allowed(api: MonitorApi) -> None:
    path = f"{PREFIX}/stop"
    assert asgi(api, path=path, headers=RIGHT) == 200
    assert asgi(api, path=path, headers={**RIGHT, "content-length": "1000000000"}) == 413
    chunks = (b"x" * LONGEST_BODY, b"x", b"never asked for")
    assert asgi(api, path=path, headers=RIGHT, chunks=chunks) == 413


def wsgi(api: MonitorApi, **environment: str) -> str:
    statuses: list[str] = []
    body = wsgi_app(api)(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/stop",
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Bearer {TOKEN}",
            "wsgi.input": io.BytesIO(),
            **environment,
        },
        lambda status, _headers, *_: statuses.append(status),  # type: ignore[arg-type,return-value]
    )
    assert b"".join(body)
    return statuses[0]


def test_wsgi_says_the_same(api: MonitorApi) -> None:
    assert wsgi(api) == "200 OK"
    assert wsgi(api, HTTP_AUTHORIZATION="Bearer x") == "401 Unauthorized"
    assert wsgi(api, CONTENT_LENGTH="5000").startswith("413 ")
    assert wsgi(api, HTTP_TRANSFER_ENCODING="chunked").startswith("413 ")
