"""Health while its database hangs, and while many ask at once. ``benchmarks/health.py`` has the figures."""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from govern.database.look import open_look
from govern.errors import Unreachable
from govern.web.health import Health
from tests.acceptance.conftest import MakeProject
from tests.acceptance.program import Project, finish
from tests.fixtures.faults import OwnServer, wait_until

_MANIFEST = "critical_tables:\n  - {name: users, min_rows: 1}\n  - {name: notes}\n"
_OURS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'govern' AND datname = current_database()"
)
on_postgresql = pytest.mark.parametrize("watched", ["postgresql"], indirect=True)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def get(place: Path, path: str) -> tuple[int, Any, float]:
    """Status, document, and the seconds it took."""
    began = time.monotonic()
    with closing(_UnixConnection(place)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), time.monotonic() - began


def _is_listening(place: Path) -> bool:
    with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
        return get(place, "/health/ping")[0] == 200
    return False


@contextmanager
def serving(project: Project, place: Path) -> Iterator[subprocess.Popen[str]]:
    process = project.start("serve", "--unix", str(place))
    try:
        wait_until(lambda: _is_listening(place))
        yield process
    finally:
        process.terminate()
        done = finish(process)
    assert done.exit_code == 0, done
    assert not place.exists()


def test_a_database_that_hangs_is_told_in_two_seconds_and_ping_goes_on(
    own_server: OwnServer, make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project("plain", own_server.make_database(), {})
    project.write({"schema/governance.yaml": _MANIFEST})
    project.succeed("lock")
    project.succeed("migrate")
    place = tmp_path / "socket"
    with serving(project, place):
        assert get(place, "/health")[0] == 200
        time.sleep(1.1)  # what was seen before is not shown any longer
        pings: list[float] = []
        with own_server.stopped(), _meanwhile(lambda: pings.append(get(place, "/health/ping")[2])):
            for path in ("/health", "/health/database", "/health"):
                status, document, seconds = get(place, path)
                assert (status, document["status"]) == (503, "critical")
                assert seconds < 2
            assert document["message"].startswith("the database has not answered for ")
            assert seconds < 0.5  # it is known already
        assert len(pings) > 20
        assert sorted(pings)[len(pings) * 9 // 10] < 0.05
        wait_until(lambda: get(place, "/health")[0] == 200, seconds=3)


@contextmanager
def _meanwhile(ask: Callable[[], object]) -> Iterator[None]:
    """Asks fifty times a second on another thread."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(0.02):
            ask()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@on_postgresql
def test_many_who_ask_at_once_cost_two_connections_at_most(watched: Project) -> None:
    assert watched.url is not None
    (watched.root / "govern.toml").touch()
    health = Health(watched.url, config=watched.root / "govern.toml")
    statuses: list[int] = []

    def ask() -> None:
        for _ in range(25):
            statuses.extend(
                health.answer(path).status for path in ("/health", "/health/database", "/metrics")
            )
            time.sleep(0.05)

    askers = [threading.Thread(target=ask) for _ in range(20)]
    seen: list[int] = []
    with psycopg.connect(watched.database.conninfo, autocommit=True) as session:
        before = _count_sessions(session)
        for asker in askers:
            asker.start()
        while any(asker.is_alive() for asker in askers):
            seen += [one for (one,) in session.execute(_OURS).fetchall()]
            time.sleep(0.005)
        health.close()
        opened = _count_sessions(session) - before
    assert statuses == [200] * 1500
    assert 1 <= max(seen) <= 2
    assert opened <= 12  # two a second


def _count_sessions(session: psycopg.Connection[Any]) -> int:
    """Since the statistics began, of this database."""
    session.execute("SELECT pg_stat_clear_snapshot()")
    query = "SELECT sessions FROM pg_stat_database WHERE datname = current_database()"
    return int((session.execute(query).fetchone() or (0,))[0])


def test_the_server_listens_where_it_is_told_and_says_what_cannot_be(watched: Project) -> None:
    process = watched.start("serve", "--port", "0")
    assert process.stderr is not None
    told = process.stderr.readline()
    assert told.startswith("listening at http://127.0.0.1:")
    port = int(told.split(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with closing(connection):
        for method, path, status in (
            ("GET", "/health", 200),
            ("HEAD", "/health", 200),
            ("GET", "/metrics", 200),
            ("POST", "/health", 405),
            ("DELETE", "/health/ping", 405),
            ("GET", "/health/", 404),
            ("GET", "/", 404),
        ):
            connection.request(method, path, headers={"Host": "anything"})
            answer = connection.getresponse()
            body = answer.read()
            assert (answer.status, answer.headers["Cache-Control"]) == (status, "no-store"), path
            assert (body == b"") is (method == "HEAD")
            assert answer.headers.get("Allow") == ("GET, HEAD" if status == 405 else None)
    taken = watched.govern("serve", "--port", str(port))
    assert taken.exit_code == 2
    assert f"govern serve cannot listen at 127.0.0.1:{port}" in taken.err
    process.terminate()
    assert finish(process).exit_code == 0


def test_an_attempt_that_hung_leaves_no_connection_behind(own_server: OwnServer) -> None:
    url, process = own_server.start(), psutil.Process()
    gc.collect()
    gc.disable()  # as in a process that makes little garbage: what refers to itself stays for long
    try:
        before = process.num_fds()
        with own_server.stopped(), pytest.raises(Unreachable), open_look(url, timeout_seconds=2):
            pass
        assert process.num_fds() <= before
    finally:
        gc.enable()
