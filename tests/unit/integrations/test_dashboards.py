"""The monitor's page in applications of each framework: for the people they know, below their prefix."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from govern.actions.notebook import Notebook
from govern.config import load
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError
from tests.unit.integrations import hosts
from tests.unit.integrations.hosts import API, PAGE, USER, Ask

ASGI = ("starlette", "fastapi", "litestar")
ALL = (*ASGI, "flask", "django")
ADA = {USER: "ada"}
TOKEN = "correct-horse-battery-staple"


class Host:
    """An application under test, made for a test as it wants it."""

    def __init__(self, name: str, folder: Path, stack: ExitStack) -> None:
        self.name, self.folder, self._stack = name, folder, stack
        self.url = f"sqlite:///{folder}/app.sqlite"

    def start(self, authenticate: Any = hosts.sync_name, **options: Any) -> Ask:
        if self.name == "django":
            return self._start_django(authenticate, **options)
        make = getattr(hosts, self.name)
        given = {"config": self.folder / "govern.toml", **options}
        return self._stack.enter_context(make(self.url, authenticate, given))

    def _start_django(self, authenticate: Any, **options: Any) -> Ask:
        given = {name.upper(): value for name, value in options.items()}
        if authenticate is None:
            self._stack.enter_context(hosts.without_people(self.folder))
        return hosts.ask_django(
            self._stack.enter_context(hosts.django(self.folder, AUTHENTICATE=authenticate, **given))
        )

    @property
    def notebook(self) -> Notebook:
        settings = load(config=self.folder / "govern.toml", url=self.url, environ={"USER": "tester"})
        return Notebook(settings, DatabaseUrl.parse(self.url))

    def read_wanted(self) -> tuple[str, str | None]:
        """What the monitor is to do, and who said so."""
        wanted = self.notebook.read().wanted
        return wanted.state, wanted.by


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One for all: Django has one database a process."""
    made = tmp_path_factory.mktemp("host")
    (made / "govern.toml").touch()
    with closing(sqlite3.connect(made / "app.sqlite")) as connection:
        connection.execute("CREATE TABLE shop (id INTEGER PRIMARY KEY)")
    yield made
    from django.conf import settings

    if settings.configured:
        from django.db import connections

        connections.close_all()


@pytest.fixture(params=ALL)
def host(request: pytest.FixtureRequest, folder: Path) -> Iterator[Host]:
    """Somebody has stopped the monitor: so there is something to press."""
    with ExitStack() as stack:
        made = Host(request.param, folder, stack)
        made.notebook.want("stopped", "somebody")
        yield made


def test_the_page_comes_for_whom_the_application_knows_and_with_it_what_it_needs(host: Host) -> None:
    ask = host.start()
    page = ask("GET", PAGE, ADA)
    assert page.status == 200
    assert ">ada<" in page.text
    addresses = re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text)
    assert len(addresses) > 8
    assert [one for one in addresses if not one.startswith(f"{PAGE}/")] == []
    for address in {one for one in addresses if "/static/" in one}:
        assert ask("GET", address, ADA).status == 200
    style = ask("GET", next(one for one in addresses if "page.css" in one), ADA)
    assert style.headers["content-type"].startswith("text/css")
    for name in ("schema", "drift", "backups", "history"):
        assert ask("GET", f"{PAGE}/{name}", ADA).status == 200


def test_nobody_else_sees_anything(host: Host) -> None:
    ask = host.start()
    assert ask("GET", PAGE).status == 401
    assert ask("GET", f"{API}/issues").status == 401
    assert ask("POST", f"{API}/start", {"x-govern-request": "1"}).status == 401
    assert host.read_wanted() == ("stopped", "somebody")


def test_what_the_host_s_user_asks_for_is_done_in_their_name(host: Host) -> None:
    ask = host.start()
    token = ask("GET", PAGE, ADA).token
    assert ask("POST", f"{PAGE}/start", ADA).status == 403
    assert ask("POST", f"{PAGE}/start", ADA, {"token": "0" * 64}).status == 403
    assert host.read_wanted() == ("stopped", "somebody")
    done = ask("POST", f"{PAGE}/start", ADA, {"token": token})
    assert (done.status, done.headers["location"].split("?")[0].rstrip("/")) == (303, PAGE)
    assert host.read_wanted() == ("running", "ada")
    assert "ada let the monitor work" in re.sub(r"<[^>]*>", "", ask("GET", f"{PAGE}/history", ADA).text)
    assert ask("POST", f"{API}/stop", ADA).status == 403
    assert ask("POST", f"{API}/stop", {**ADA, "x-govern-request": "1"}).status == 200
    assert host.read_wanted() == ("stopped", "ada")


def test_another_s_form_is_refused_and_a_proxy_s_name_is_allowed_by_name(host: Host) -> None:
    ask = host.start(origins=["https://Ops.example/"])
    token = ask("GET", PAGE, ADA).token
    foreign = ask("POST", f"{PAGE}/start", {**ADA, "origin": "https://evil.example"}, {"token": token})
    assert foreign.status == 403
    assert host.read_wanted() == ("stopped", "somebody")
    assert (
        ask("POST", f"{PAGE}/start", {**ADA, "origin": "https://ops.example"}, {"token": token}).status == 303
    )


def test_a_body_that_is_too_large_is_not_read(host: Host) -> None:
    assert host.start()("POST", f"{PAGE}/stop", ADA, {"token": "x" * 5_000}).status == 413


def test_a_page_to_read_alone_has_nothing_to_press(host: Host) -> None:
    ask = host.start(read_only=True)
    assert 'method="post"' not in ask("GET", PAGE, ADA).text
    assert ask("POST", f"{PAGE}/stop", ADA, {"token": "x"}).status in (404, 405)
    assert ask("POST", f"{API}/stop", {**ADA, "x-govern-request": "1"}).status in (404, 405)


def test_without_people_or_a_secret_the_page_says_how_to_be_known(host: Host) -> None:
    ask = host.start(None)
    assert ask("GET", PAGE).status == 200
    assert "GOVERN_MONITOR_TOKEN" in ask("GET", f"{PAGE}/schema").text
    assert ask("POST", f"{API}/stop", {"x-govern-request": "1"}).status in (404, 405)


def test_without_people_the_secret_of_the_environment_lets_in(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOVERN_MONITOR_TOKEN", TOKEN)
    ask = host.start(None)
    asked = ask("GET", PAGE)
    assert (asked.status, asked.headers["location"]) == (303, f"{PAGE}/login")
    token = ask("GET", f"{PAGE}/login").token
    assert ask("POST", f"{PAGE}/login", form={"token": token, "secret": "wrong"}).status == 401
    assert ask("POST", f"{PAGE}/login", form={"token": token, "secret": TOKEN, "name": "eve"}).status == 303
    assert ">eve<" in ask("GET", PAGE).text


@pytest.mark.parametrize("host", ASGI, indirect=True)
def test_who_asks_may_be_found_out_asynchronously(host: Host) -> None:
    ask = host.start(hosts.async_name)
    assert ">ada<" in ask("GET", PAGE, ADA).text
    assert ask("GET", PAGE).status == 401


@pytest.mark.parametrize("host", ["starlette", "fastapi"], indirect=True)
def test_an_answer_that_is_no_name_is_a_mistake_of_the_application(host: Host) -> None:
    with pytest.raises(TypeError, match="returns the name of who asks, or None, and not a dict"):
        host.start(hosts.names_something_else)("GET", PAGE)


@pytest.mark.parametrize("host", ["starlette", "fastapi", "flask"], indirect=True)
def test_what_the_application_raises_is_answered_by_the_application(host: Host) -> None:
    ask = host.start(hosts.refuses)
    assert ask("GET", PAGE).status == 418
    assert ask("POST", f"{API}/start", {"x-govern-request": "1"}).status == 418
    assert host.read_wanted() == ("stopped", "somebody")


@pytest.mark.parametrize("host", ASGI, indirect=True)
@pytest.mark.parametrize("sent", [f"/proxy{PAGE}", PAGE])
def test_behind_a_proxy_addresses_have_its_prefix(host: Host, sent: str) -> None:
    """Servers hand on the path with what the proxy took off, or without it."""
    ask = host.start()
    client = ask.__closure__[0].cell_contents  # type: ignore[attr-defined]
    client._transport.root_path = "/proxy"
    page = ask("GET", sent, ADA)
    assert page.status == 200
    assert f'href="/proxy{PAGE}/static/page.css' in page.text


@pytest.mark.parametrize("host", ["flask"], indirect=True)
def test_behind_a_proxy_flask_s_addresses_have_its_prefix(host: Host) -> None:
    ask = host.start()
    client = ask.__closure__[0].cell_contents  # type: ignore[attr-defined]
    page = client.get(PAGE, headers=ADA, environ_overrides={"SCRIPT_NAME": "/proxy"}).get_data(as_text=True)
    assert f'href="/proxy{PAGE}/static/page.css' in page


@pytest.mark.parametrize("host", ["django"], indirect=True)
def test_django_lets_in_superusers_and_nobody_else(host: Host, folder: Path) -> None:
    with hosts.django(folder) as client:
        from django.contrib.auth.models import User

        ask = hosts.ask_django(client)
        assert ask("GET", PAGE).status == 401
        client.force_login(User.objects.get(username="bob"))
        assert ask("GET", PAGE).status == 401
        client.force_login(User.objects.get(username="ada"))
        page = ask("GET", PAGE)
        assert ">ada<" in page.text
        assert ask("POST", f"{PAGE}/start", form={"token": page.token}).status == 303


def test_django_finds_the_function_that_the_setting_names(folder: Path) -> None:
    with hosts.django(folder, AUTHENTICATE="tests.unit.integrations.hosts.sync_name") as client:
        assert ">ada<" in hosts.ask_django(client)("GET", PAGE, ADA).text
    with (
        hosts.django(folder, AUTHENTICATE="tests.nowhere") as client,
        pytest.raises(ConfigurationError, match=r"tests\.nowhere.* cannot be imported"),
    ):
        hosts.ask_django(client)("GET", PAGE, ADA)
