"""Who is told, how often it is tried, and that no address is ever told: over a real HTTP server."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from govern.core.finding import Severity
from govern.errors import ConfigurationError
from govern.monitor.notify import News, require_receivers, tell
from govern.source.manifest import Notify
from tests.unit.core.test_fixing import ISSUE

SECRET = "T0K3N-that-nobody-may-see"
NEWS = News(database="postgresql://app@db/app", target="default", opened=(ISSUE,))
HOOK = Notify(webhook_env="HOOK_URL")


@dataclass
class Receiver:
    """Answers with what it was given, the last one for ever, and keeps what came."""

    answers: list[int] = field(default_factory=lambda: [200])
    came: list[tuple[str, Any]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/{SECRET}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.came.append((self.path, json.loads(body)))
            status = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
            self.send_response(status)
            if status == 302:
                self.send_header("location", f"{made.url}/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def hook(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_URL", receiver.url)


def test_a_webhook_gets_slacks_json(receiver: Receiver, tmp_path: Path) -> None:
    assert list(tell(NEWS, [HOOK], tmp_path)) == []
    [(path, body)] = receiver.came
    assert path == f"/services/{SECRET}"
    assert set(body) == {"text"}
    assert "critical: index public.users.ix_users_email: No index" in body["text"]


def test_one_that_fails_is_tried_again(receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [503, 200]
    assert list(tell(NEWS, [HOOK], tmp_path)) == []
    assert len(receiver.came) == 2


@pytest.mark.parametrize("status", [302, 404])
def test_one_that_never_takes_it_is_named_by_its_place_and_never_by_its_address(
    receiver: Receiver, tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    """A redirection is not followed: it would lead the text to somebody else."""
    caplog.set_level(logging.DEBUG)
    receiver.answers = [status]
    [problem] = tell(NEWS, [HOOK], tmp_path)
    assert problem == f"monitor.notify[0] was not told: the answer was {status}"
    assert len(receiver.came) == 3
    said = [record.getMessage() for record in caplog.records]
    assert SECRET not in " ".join([problem, *said, *capfd.readouterr()])


def test_nobody_at_the_address_is_no_more_than_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    for address in (f"http://127.0.0.1:1/{SECRET}", f"not an address {SECRET}", f"ftp://x/{SECRET}"):
        monkeypatch.setenv("HOOK_URL", address)
        [problem] = tell(NEWS, [HOOK], tmp_path)
        assert SECRET not in " ".join([problem, *capfd.readouterr()])


def test_a_variable_that_is_not_set_is_said_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    require_receivers([HOOK])
    monkeypatch.delenv("HOOK_URL")
    with pytest.raises(ConfigurationError, match="HOOK_URL is not set"):
        require_receivers([HOOK])


def test_who_wants_only_the_gravest_is_spared_the_rest_but_for_pages(
    receiver: Receiver, tmp_path: Path
) -> None:
    mild = replace(ISSUE, severity=Severity.ERROR)
    assert list(tell(replace(NEWS, opened=(mild,)), [HOOK], tmp_path)) == []
    assert receiver.came == []
    assert list(tell(replace(NEWS, opened=(mild,), pages=("look!",)), [HOOK], tmp_path)) == []
    [(_, body)] = receiver.came
    assert "PAGE: look!" in body["text"]
    assert "error" not in body["text"]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("sh", "-c", "exit 3"), "sh ended with 3"),
        (("no-such-program-anywhere",), "could not be started"),
    ],
)
def test_a_command_that_fails_is_said(tmp_path: Path, command: tuple[str, ...], why: str) -> None:
    [problem] = tell(NEWS, [Notify(command=command)], tmp_path)
    assert why in problem
