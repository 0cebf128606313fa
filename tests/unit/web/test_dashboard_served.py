"""The page as an ASGI and a WSGI application, beside the API and wherever it is mounted."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from govern.web.dashboard import Dashboard
from govern.web.dashboard.rendering import static_files
from govern.web.monitor import asgi_app, wsgi_app
from govern.web.monitor.mounted import Answering
from govern.web.monitor.request import FORM, LONGEST_BODY, PREFIX
from tests.unit.web.browsing import BASE, SECRET, Browser, Document

Answer = tuple[int, Mapping[str, str], bytes]
Ask = Callable[..., Answer]
HOST = {"host": "localhost"}


def ask_asgi(
    *answering: Answering, path: str, root: str = "", body: bytes = b"", headers: Mapping[str, str] = HOST
) -> Answer:
    """A POST where there is a body; it comes byte by byte."""
    waiting = [bytes([byte]) for byte in body] or [b""]
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST" if body else "GET",
        "path": root + path,
        "root_path": root,
        "query_string": b"",
        "scheme": "https",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(asgi_app(*answering)(scope, receive, send))
    start, end = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, end["body"]


def ask_wsgi(
    *answering: Answering, path: str, root: str = "", body: bytes = b"", headers: Mapping[str, str] = HOST
) -> Answer:
    started: list[Any] = []
    environment = {
        "REQUEST_METHOD": "POST" if body else "GET",
        "PATH_INFO": path,
        "SCRIPT_NAME": root,
        "QUERY_STRING": "",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "CONTENT_TYPE": headers.get("content-type", ""),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items() if name != "content-type"},
    }
    answered = wsgi_app(*answering)(environment, lambda *told: started.append(told))  # type: ignore[arg-type,return-value]
    [(status, told)] = started
    return int(status.split()[0]), {name.lower(): value for name, value in told}, b"".join(answered)


both = pytest.mark.parametrize("ask", [ask_asgi, ask_wsgi])


@both
@pytest.mark.parametrize(
    ("path", "root", "base"),
    [
        (f"{BASE}/login", "", BASE),
        (f"{BASE}/login", "/behind/a/proxy", f"/behind/a/proxy{BASE}"),
        ("/login", "/ops/database", "/ops/database"),
        ("/login", "", ""),
        ("/login", '/ops/"><b>', "/ops/%22%3E%3Cb%3E"),
    ],
)
def test_forms_and_links_lead_back_to_where_the_page_is_mounted(
    page: Dashboard, ask: Ask, path: str, root: str, base: str
) -> None:
    status, headers, body = ask(page, path=path, root=root)
    document = Document(body.decode())
    form = document.forms[f"{base}/login"]
    assert status == 200
    assert f"Path={base or '/'};" in headers["set-cookie"]
    posted = urlencode({**form, "secret": SECRET}).encode()
    cookie = headers["set-cookie"].partition(";")[0]
    sent = {**HOST, "content-type": FORM, "cookie": cookie}
    status, headers, body = ask(page, path=path, root=root, body=posted, headers=sent)
    assert (status, headers["location"]) == (303, f"{base}/")
    assert "; Secure" in headers["set-cookie"]


def test_nobody_is_sent_to_another_server_by_where_the_page_is_mounted(page: Dashboard) -> None:
    """A part of that may be what somebody typed."""
    assert ask_wsgi(page, path="/", root="//evil.example")[1]["location"] == "/evil.example/login"


@both
def test_one_application_answers_for_the_api_and_the_page(page: Dashboard, ask: Ask) -> None:
    status, headers, body = ask(page.api, page, path=f"{PREFIX}/status")
    assert (status, json.loads(body), headers["content-type"]) == (
        401,
        {"message": "who are you?"},
        "application/json",
    )
    for path in (BASE, f"{BASE}/"):
        assert ask(page.api, page, path=path)[1]["location"] == f"{BASE}/login"
    for path in ("/", f"{BASE}s", f"{PREFIX}s/status", "/admin"):
        assert ask(page.api, page, path=path)[0] == 404


@both
def test_a_form_that_is_too_large_is_not_read(page: Dashboard, ask: Ask) -> None:
    sent = {**HOST, "content-type": FORM}
    status, headers, _ = ask(page, path=f"{BASE}/login", body=b"x" * (LONGEST_BODY + 1), headers=sent)
    assert (status, headers["connection"]) == (413, "close")


def test_asgi_joins_cookies_that_came_one_by_one_and_takes_no_other_header_twice(page: Dashboard) -> None:
    def ask(*headers: tuple[bytes, bytes]) -> int:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": BASE,
            "headers": [(b"host", b"localhost"), *headers],
        }
        asyncio.run(asgi_app(page)(scope, receive, send))
        return int(sent[0]["status"])

    session = Browser(page).log_in().cookies["govern_session"].encode()
    assert ask((b"cookie", b"theme=dark"), (b"cookie", b"govern_session=" + session)) == 200
    assert ask((b"cookie", b"govern_session=wrong; govern_session=" + session)) == 200
    assert ask((b"host", b"localhost")) == 400
    assert ask((b"content-type", b"a"), (b"content-type", b"b")) == 400


def test_static_files_are_kept_for_as_long_as_they_are_the_same(page: Dashboard) -> None:
    browser = Browser(page)
    for name, file in static_files().items():
        kept = dict(browser.get(f"/static/{name}", query=f"v={file.version}").headers)
        assert kept["cache-control"] == "public, max-age=31536000, immutable"
        assert kept["content-type"].startswith(("text/css", "text/javascript"))
        for query in ("", "v=another"):
            assert dict(browser.get(f"/static/{name}", query=query).headers)["cache-control"] == "no-cache"
    for name in ("htmx.LICENSE.txt", "..", "none.css", "__init__.py"):
        assert browser.get(f"/static/{name}").status == 404
