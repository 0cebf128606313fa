"""The examples as a user starts them: each framework's own server, a process of its own, on a free loopback port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.program import Done, Project

ROOT = Path(__file__).parents[3]
DJANGO = ROOT / "examples" / "django"
_SECONDS = 60

_GUNICORN = "-m gunicorn --no-control-socket --bind 127.0.0.1:{port}"
COMMANDS = {
    "fastapi, uvicorn": "-m uvicorn examples.fastapi.app:app --port {port}",
    "fastapi, gunicorn": f"{_GUNICORN} -w 2 -k uvicorn_worker.UvicornWorker examples.fastapi.app:app",
    "starlette, gunicorn": f"{_GUNICORN} -w 2 -k uvicorn_worker.UvicornWorker examples.starlette.app:app",
    "starlette, uvicorn": "-m uvicorn examples.starlette.app:app --port {port}",
    "flask, gunicorn": f"{_GUNICORN} --workers 2 examples.flask.app:create_app()",
    "flask, gunicorn preloads": f"{_GUNICORN} --workers 2 --preload examples.flask.app:create_app()",
    "flask, flask run": "-m flask --app examples.flask.app run --port {port}",
    "litestar, litestar run": "-m litestar --app examples.litestar.app:app run --port {port}",
    "django, gunicorn": f"{_GUNICORN} --workers 2 shop.wsgi",
    "django, uvicorn": "-m uvicorn shop.asgi:application --port {port}",
    "django, runserver": f"{DJANGO}/manage.py runserver {{port}}",
}
"""What follows ``python`` for each server."""


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    process: subprocess.Popen[bytes]
    port: int
    out: Path
    """What it said, on stdout and stderr."""

    def get(self, path: str, *, timeout_seconds: float = 10) -> tuple[int, Any]:
        """Status and JSON body, or text where it is none; raises URLError where nobody answers."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=timeout_seconds
            ) as answer:
                return answer.status, _body(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _body(error.read())

    def is_answering(self) -> bool:
        """A socket that is open is not enough: gunicorn's is, before any worker has started."""
        try:
            return self.get("/health/ping", timeout_seconds=1)[0] == 200
        except OSError:  # URLError is one
            return False

    @property
    def said(self) -> str:
        return self.out.read_text(encoding="utf-8")


def is_lifespan(server: str) -> bool:
    return server.startswith(("fastapi", "starlette", "litestar"))


def exit_codes_of(server: str) -> set[int]:
    """ASGI servers have their own for a lifespan that failed; so has a gunicorn that loses two workers at once."""
    return {3 if is_lifespan(server) else 4} | ({1} if "gunicorn" in server else set())


def arguments(server: str, port: int) -> list[str]:
    """The command of ``server`` after ``python``."""
    return [word.format(port=port) for word in COMMANDS[server].split()]


def environment(project: Project, server: str = "") -> dict[str, str]:
    """The project's, with the URL as SQLAlchemy needs it, for the drivers that are installed."""
    dialect, _, rest = project.database.text.partition(":")
    drivers = {"postgresql": "+psycopg", "sqlite": "+aiosqlite" if server.startswith("fastapi") else ""}
    url = f"{dialect}{drivers[dialect]}:{rest}"
    path = os.pathsep.join(map(str, (project.root, ROOT, DJANGO)))
    return {**project.variables, "DATABASE_URL": url, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port


@contextmanager
def launched(project: Project, server: str, *more: str, command: list[str] | None = None) -> Iterator[Server]:
    """The process, whatever becomes of it; it is stopped with all below it."""
    port, out = free_port(), project.root.parent / f"{server.replace(' ', '-')}-{time.monotonic_ns()}.txt"
    words = [word.format(port=port) for word in command] if command else arguments(server, port)
    with out.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, *words, *more],
            cwd=project.root,
            env=environment(project, server),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(process, port, out)
    finally:
        _stop(process)


@contextmanager
def serving(project: Project, server: str, *more: str, command: list[str] | None = None) -> Iterator[Server]:
    """The server once it answers; AssertionError, with what it said, where it does not."""
    with launched(project, server, *more, command=command) as started:
        wait_for(started, started.is_answering)
        yield started


def wait_for(server: Server, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert server.process.poll() is None, server.said
        assert time.monotonic() < deadline, server.said
        time.sleep(0.05)


def refused(project: Project, server: str, *more: str, command: list[str] | None = None) -> Done:
    """How it ended by itself; AssertionError where it did not."""
    with launched(project, server, *more, command=command) as started:
        try:
            exit_code = started.process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end: {started.said}") from None
        return Done(exit_code=exit_code, out="", err=started.said)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """As a container's runtime does: SIGTERM, then SIGKILL to all that is left."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _body(content: bytes) -> Any:
    text = content.decode()
    return json.loads(text) if text.startswith("{") else text
