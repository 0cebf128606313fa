"""Bytes that no browser sends, at a real server: each is refused, nothing is a bug, and nobody stays."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from govern.database.url import DatabaseUrl
from govern.web.dashboard import Dashboard
from govern.web.health import Health
from govern.web.impatient import ImpatientProtocol
from govern.web.monitor import MonitorApi, bearer
from govern.web.serving import _make_server
from tests.unit.web.browsing import SECRET
from tests.unit.web.conftest import make_project

PAGE, API = Dashboard.prefix, "/api/database-health"
HOST = "Host: localhost\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
Port = int


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """Of a server that waits a third of a second for a head, and takes no more than 20 connections."""
    settings = make_project(tmp_path_factory.mktemp("served"))
    url = DatabaseUrl.parse(settings.url or "")
    api = MonitorApi(settings, url, access=bearer(SECRET), hosts=frozenset({"localhost"}))
    health = Health(settings.url or "", config=settings.file)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(ImpatientProtocol, "head_seconds", 0.4)
        patch.setattr(ImpatientProtocol, "answer_seconds", 8.0)
        server = _make_server(health, api, Dashboard(api))
        server.config.limit_concurrency = 20
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def send(port: Port, head: str, body: bytes = b"") -> bytes:
    """All that comes back until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode("latin-1") + b"Connection: close\r\n\r\n" + body)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def status_of(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("head", "status"),
    [
        *((f"GET {path} HTTP/1.1\r\n{HOST}Origin: {origin}\r\n", 403)
          for path in (f"{PAGE}/login", f"{API}/status")
          for origin in ("http://[", "http://[::1", "[", "null", "", "http://localhost.evil", "javascript:0", "\xff")),
        *((f"GET {PAGE}/login HTTP/1.1\r\nHost: {host}\r\n", 403)
          for host in ("evil.example", "[", "[::1", "x@127.0.0.1", "evil@localhost", "127.0.0.1/x", "localhost#", "")),
        (f"GET {PAGE}/login HTTP/1.1\r\nHost: evil\r\n{HOST}", 400),
        (f"GET http://evil.example{PAGE}/login HTTP/1.1\r\n{HOST}", 404),
        (f"GET //evil.example{PAGE}/ HTTP/1.1\r\n{HOST}", 404),
        (f"POST {PAGE}/login HTTP/1.1\r\n{HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", 400),
        (f"POST {PAGE}/login HTTP/1.1\r\n{HOST}Transfer-Encoding: xchunked\r\n", 400),
        *((f"POST {PAGE}/login HTTP/1.1\r\n{HOST}Content-Length: {size}\r\n", 400)
          for size in ("1\r\nContent-Length: 2", "-1", "1e3", "0x10", "\xb9", "+1")),
        (f"POST {PAGE}/login HTTP/1.1\r\n{HOST}Content-Length: 9999999999999999999\r\n", 413),
        (f"GET {PAGE}/login HTTP/1.1\r\n{HOST}Authorization: a\r\nAuthorization: b\r\n", 400),
        *((f"GET {PAGE}/static/{name} HTTP/1.1\r\n{HOST}", 404)
          for name in ("..", "%00", "..%2f..%2fetc%2fpasswd", "../../../../etc/passwd", "%ff%fe",
                       "%0d%0aSet-Cookie:x=1",
                       "..%5c..%5cx", "%c0%ae%c0%ae%2f", "%ef%bc%8e%ef%bc%8e", "page.css%00.js", ".", "%2e%2e",
                       "....//", "page.css/", "templates%2flayout.html", "/etc/passwd", "~root", "CON")),
        *((f"GET {PAGE}/history/{name} HTTP/1.1\r\n{HOST}", 404) for name in ("..%2f..", "a%00b", "%2e%2e/x", "a/b")),
        (f"TRACE {PAGE}/ HTTP/1.1\r\n{HOST}", 405),
        (f"OPTIONS {API}/check HTTP/1.1\r\n{HOST}Origin: http://evil\r\nAccess-Control-Request-Method: POST\r\n", 403),
        (f"GET {PAGE}/ HTTP/1.1\r\n{HOST}Cookie: govern_session=\xff.\xfe; govern_form=\x80\r\n", 303),
        (f"GET {PAGE}/ HTTP/1.1\r\n{HOST}Cookie: {'; '.join(['govern_session=a.b.c.d'] * 2000)}\r\n", 303),
        (f"POST {API}/check HTTP/1.1\r\n{HOST}Authorization: Bearer \xff\xfe\r\nContent-Length: 0\r\n", 401),
        ("NONSENSE\r\n", 400),
    ],
)  # fmt: skip
def test_what_no_browser_sends_is_refused(
    port: Port, head: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    reply = send(port, head)
    assert status_of(reply) == status, reply
    assert b"evil" not in reply
    assert b"Set-Cookie:x" not in reply.replace(b"%0d%0a", b"")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "body", [b"secret=%ed%a0%80&token=%ed%a0%80", b"\xff\xfe=\x00", b"=&=&;;", b"a" * 4096]
)
def test_no_form_is_a_bug(port: Port, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    head = f"POST {PAGE}/login HTTP/1.1\r\n{HOST}{FORM}Content-Length: {len(body)}\r\n"
    assert status_of(send(port, head, body)) == 403
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_body_in_chunks_is_as_long_as_any(port: Port) -> None:
    chunks = b"".join(b"400\r\n" + b"a" * 1024 + b"\r\n" for _ in range(5)) + b"0\r\n\r\n"
    head = f"POST {PAGE}/login HTTP/1.1\r\n{HOST}{FORM}Transfer-Encoding: chunked\r\n"
    assert status_of(send(port, head, chunks)) == 413


@pytest.mark.parametrize("said", [b"", b"GET ", b"GET /health/ping HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_who_says_nothing_or_a_word_at_a_time_shuts_nobody_out(port: Port, said: bytes) -> None:
    """More of them than the server takes: a moment later they are gone, and others are answered."""
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(25)
        ]
        for connection in slow:
            connection.sendall(said)
        deadline = time.monotonic() + 5
        while status_of(send(port, f"GET /health/ping HTTP/1.1\r\n{HOST}")) != 200:
            assert time.monotonic() < deadline, "they take all places"
            time.sleep(0.05)
        for connection in slow:
            with pytest.raises((ConnectionError, AssertionError)):
                assert connection.recv(1)


def test_a_connection_that_goes_on_asking_is_kept_and_a_slow_second_head_is_not(port: Port) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for _ in range(3):
            connection.sendall(f"GET /health/ping HTTP/1.1\r\n{HOST}\r\n".encode())
            received = b""
            while not received.endswith(b'"pong"}'):
                received += connection.recv(4096)
            assert status_of(received) == 200
            time.sleep(0.6)  # longer than a head may take: between two requests uvicorn's own patience counts
        connection.sendall(b"GET /health/ping HT")
        with pytest.raises((ConnectionError, AssertionError)):
            assert connection.recv(1)
