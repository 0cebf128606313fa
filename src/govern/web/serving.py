"""``govern serve``: health, the monitor's API and its page in a process of their own, until it is told to stop."""

from __future__ import annotations

import ipaddress
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from govern.api.command import Narrate, refuse_one_schema
from govern.api.examination import Examiner
from govern.config import Settings, find_secret
from govern.core.report import Entry
from govern.core.wording import name_seconds
from govern.database.target import resolve_target
from govern.errors import ConfigurationError, ToolMissing
from govern.log import Log
from govern.web.asgi import AsgiApp, Message, Receive, Send, asgi_app
from govern.web.dashboard import Dashboard
from govern.web.health import HEALTH, PATHS, Health
from govern.web.monitor import MonitorApi, bearer
from govern.web.monitor import asgi_app as monitor_app
from govern.web.monitor.access import TOKEN_VARIABLE
from govern.web.monitor.request import PREFIX, is_below

if TYPE_CHECKING:
    import uvicorn

log = Log(__name__)

_BACKLOG = 128
_MOST_REQUESTS = 500
"""At the same time; others are answered 503 at once."""
_FAREWELL_SECONDS = 3
_EXPOSED = "; other machines can read the names and row counts of critical tables there: no rows, no secrets"


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    unix: Path | None,
    judges_backups: bool,
    names: tuple[str, ...] = (),
    read_only: bool = False,
    narrate: Narrate,
) -> Entry:
    """Listens until SIGTERM or SIGINT. ``unix``: a path to listen at instead of ``host`` and ``port``; 0: any.

    ``names``: by which others call this server, besides ``host``: the monitor's API and page are not there for any
    other. ``read_only``: nobody can have anything changed.
    Raises Refused for one schema by itself, ConfigurationError where that cannot be listened at, ToolMissing without
    uvicorn.
    """
    refuse_one_schema("serve", settings)
    url = resolve_target(settings)
    health = Health.of(Examiner(settings, url, judges_backups=judges_backups))
    token = find_secret(TOKEN_VARIABLE)
    api = MonitorApi(
        settings,
        url,
        access=bearer(token) if token else None,
        hosts=frozenset({host.lower(), "localhost", *(name.lower() for name in names)}),
        read_only=read_only,
    )
    server = _make_server(health, api, Dashboard(api))
    health.answer(HEALTH)  # imports what a look needs: the first to ask need not wait for that
    started = time.monotonic()
    with _listening(host, port, unix) as (listener, place):
        narrate(
            f"listening at {place}: {', '.join(PATHS)}, {PREFIX} ({_say_who(token, read_only)}); "
            f"the page is {place}{Dashboard.prefix}" + ("" if unix or _is_loopback(host) else _EXPOSED)
        )
        log.info("serving_started", place=place)
        with suppress(KeyboardInterrupt):  # uvicorn has stopped, and hands the signal on
            server.run(sockets=[listener])
    log.info("serving_ended", place=place)
    return Entry.of("serve", (), f"{place}, for {name_seconds(time.monotonic() - started)}")


def _say_who(token: str | None, read_only: bool) -> str:
    if token is None:
        return f"read-only without {TOKEN_VARIABLE}"
    return f"read-only, with {TOKEN_VARIABLE}" if read_only else f"with {TOKEN_VARIABLE}"


def _either(health: AsgiApp, monitor: AsgiApp, prefixes: tuple[str, ...]) -> AsgiApp:
    """The monitor below its prefixes, health for everything else."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        is_monitors = scope["type"] == "http" and any(is_below(scope["path"], one) for one in prefixes)
        await (monitor if is_monitors else health)(scope, receive, send)

    return app


def _make_server(health: Health, api: MonitorApi, page: Dashboard) -> uvicorn.Server:
    try:
        import uvicorn

        from govern.web.impatient import ImpatientProtocol
    except ImportError as error:
        raise ToolMissing(
            "govern serve needs the package uvicorn",
            why="it is not installed",
            next="pip install 'govern[web]'",
        ) from error
    return uvicorn.Server(
        uvicorn.Config(
            _either(asgi_app(health), monitor_app(api, page), (api.prefix, page.prefix)),
            http=ImpatientProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_MOST_REQUESTS,
            timeout_graceful_shutdown=_FAREWELL_SECONDS,
        )
    )


@contextmanager
def _listening(host: str, port: int, unix: Path | None) -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens, and what to call its place."""
    if unix is None:
        with _listen_at_port(host, port) as listener:
            number = listener.getsockname()[1]
            yield listener, f"http://{f'[{host}]' if ':' in host else host}:{number}"
        return
    with _listen_at_path(unix) as listener:
        try:
            yield listener, str(unix)
        finally:
            unix.unlink(missing_ok=True)


def _listen_at_port(host: str, port: int) -> socket.socket:
    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        raise _cannot_listen(f"{host}:{port}", error, "choose another --host or --port") from error


def _listen_at_path(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        _remove_stale(path)
        listener.bind(str(path))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(str(path), error, "choose another path for --unix") from error
    return listener


def _remove_stale(path: Path) -> None:
    """A socket that nobody listens at was left by a process that was killed."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()


def _cannot_listen(place: str, error: OSError, remedy: str) -> ConfigurationError:
    return ConfigurationError(
        f"govern serve cannot listen at {place}", why=error.strerror or str(error), next=remedy
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
