"""Scratch databases: empty, private, of the target's own engine and major version, always dropped; and folders.

A name says who made it and when, so that what a killed process left behind is swept by the next one.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path

from govern.config import Settings
from govern.database.engines import dialect_of
from govern.database.postgresql import server as postgresql
from govern.database.url import DatabaseUrl
from govern.errors import ConfigurationError, CouldNotCheck, GovernError, ToolMissing
from govern.log import Log

log = Log(__name__)

PREFIX = "govern_scratch_"
_LABEL_LENGTH = 11  # with it the longest name has 63 bytes, PostgreSQL's limit
_NAME = re.compile(PREFIX + r"[a-z0-9]+_(?P<made_at>\d{14})_(?P<host>[0-9a-f]{6})_(?P<pid>\d+)_[0-9a-f]{6}")
_DATABASE_ABANDONED_AFTER = timedelta(hours=1)
_FOLDER_ABANDONED_AFTER = timedelta(days=1)  # longer: nobody can tell whether a file is in use


@contextmanager
def scratch_database(
    settings: Settings, *, like: DatabaseUrl, label: str, with_rows: bool = False
) -> Iterator[DatabaseUrl]:
    """An empty database of ``like``'s engine and major version, dropped at the end of the block.

    SQLite: a file in a private folder. PostgreSQL: on ``scratch_url`` and nowhere else where that is
    configured; else on the server of ``like``, with its encoding and locale, where the role may create
    databases; else on the embedded server, if the major is the same; else in a container, where a Docker
    engine answers. ``label`` says in the name what it is for. For one schema of a database it has that schema, empty,
    and what the schemas share around it; ``with_rows`` those rows, too, that its foreign keys lead to.

    Raises Unreachable if ``like`` does not answer. Where no way works, raises the first way's kind of error
    (NotPermitted without the CREATEDB right), naming each way and why it did not work.
    """
    if like.dialect == "sqlite":
        with _in_folder(label) as url:
            yield url
        return
    major = _read_major(like)
    with ExitStack() as stack:
        url = _enter_first(stack, settings, like, major, label)
        if like.schema is None:
            yield url
            return
        from govern.database.postgresql.shared import surround  # with all that a dump needs

        yield surround(like, url, settings.alembic.version_table, with_rows=with_rows)


_drops: ContextVar[list[threading.Thread] | None] = ContextVar("drops", default=None)


@contextmanager
def dropping_meanwhile() -> Iterator[None]:
    """Databases whose own block ends inside this one are dropped while the caller goes on; at its end all are gone.

    DROP DATABASE waits for a checkpoint, which takes a server with much to write longer than all the rest.
    """
    started: list[threading.Thread] = []
    outer = _drops.set(started)
    try:
        yield
    finally:
        _drops.reset(outer)
        for thread in started:
            thread.join()


def find_scratch_folder(settings: Settings, like: DatabaseUrl) -> Path | None:
    """Where the first choice of a scratch database lies, if that is on this machine and may be known."""
    if like.dialect == "sqlite":
        return Path(tempfile.gettempdir())
    server = DatabaseUrl.parse(settings.scratch_url) if settings.scratch_url else like
    try:
        with postgresql.connect(server, read_only=True) as connection:
            return dialect_of(server).read_extent(connection).folder
    except GovernError:
        return None  # making one will say why it cannot be reached


@contextmanager
def scratch_folder(label: str) -> Iterator[Path]:
    """An empty folder that only this user can enter, removed at the end of the block; swept as databases are."""
    parent = Path(tempfile.gettempdir())
    _sweep_folders(parent)
    folder = parent / scratch_name(label)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            log.warning("scratch_folder_not_removed", folder=str(folder))


_Open = Callable[[Settings, DatabaseUrl, int, str], AbstractContextManager[DatabaseUrl]]
"""Takes the settings, the database to be like, its major and the label."""


def _enter_first(
    stack: ExitStack, settings: Settings, like: DatabaseUrl, major: int, label: str
) -> DatabaseUrl:
    """The database of the first way that works; ``stack`` drops it."""
    tried: list[tuple[str, CouldNotCheck]] = []
    for way, open_scratch in _CONFIGURED_WAYS if settings.scratch_url else _WAYS:
        try:
            return stack.enter_context(open_scratch(settings, like, major, label))
        except CouldNotCheck as error:
            log.debug("scratch_way_failed", way=way, error=error.what)
            tried.append((way, error))
    raise _no_way(tried)


@contextmanager
def _on_configured(settings: Settings, like: DatabaseUrl, major: int, label: str) -> Iterator[DatabaseUrl]:
    server = DatabaseUrl.parse(settings.scratch_url or "")
    if server.dialect != like.dialect:
        raise ConfigurationError(
            "scratch_url is not of the target's engine",
            why=f"it is {server.dialect}, the target is {like.dialect}",
            next="give the URL of a PostgreSQL server",
        )
    _require_same_major(_read_major(server), major, "the server of scratch_url")
    with _on_server(server, label) as url:
        yield url


@contextmanager
def _beside_target(_settings: Settings, like: DatabaseUrl, _major: int, label: str) -> Iterator[DatabaseUrl]:
    with _on_server(like, label, like=like) as url:
        yield url


@contextmanager
def _on_embedded(settings: Settings, _like: DatabaseUrl, major: int, label: str) -> Iterator[DatabaseUrl]:
    from govern.database import embedded

    _require_same_major(embedded.MAJOR, major, "the embedded PostgreSQL")
    with _on_server(embedded.ensure_running(settings.state_folder), label) as url:
        yield url


@contextmanager
def _in_container(_settings: Settings, _like: DatabaseUrl, major: int, label: str) -> Iterator[DatabaseUrl]:
    from govern.database import container

    with container.run_postgresql(major) as server, _on_server(server, label) as url:
        yield url


_CONFIGURED_WAYS: tuple[tuple[str, _Open], ...] = (("scratch_url", _on_configured),)
_WAYS: tuple[tuple[str, _Open], ...] = (
    ("the target's own server", _beside_target),
    ("the embedded PostgreSQL", _on_embedded),
    ("a container", _in_container),
)
"""Where scratch databases may be made, the first choice first."""


@contextmanager
def _on_server(server: DatabaseUrl, label: str, *, like: DatabaseUrl | None = None) -> Iterator[DatabaseUrl]:
    _sweep_server(server)
    url = server.with_database(scratch_name(label))
    postgresql.create_database(url, like=like)
    try:
        yield url
    finally:
        started = _drops.get()
        if started is None:
            _drop(url)
        else:
            started.append(threading.Thread(target=_drop, args=(url,)))
            started[-1].start()


@contextmanager
def _in_folder(label: str) -> Iterator[DatabaseUrl]:
    with scratch_folder(label) as folder:
        url = DatabaseUrl.parse(f"sqlite:///{folder / 'scratch.sqlite'}")
        dialect_of(url).create_database(url)
        yield url


def _drop(url: DatabaseUrl) -> None:
    """A database that cannot be dropped hides no other error; the next start sweeps it."""
    try:
        postgresql.drop_database(url)
    except GovernError as error:
        log.warning("scratch_database_not_dropped", database=url.database, error=error.what, why=error.why)


def _sweep_server(server: DatabaseUrl) -> None:
    """Drops what killed processes left behind."""
    for name in postgresql.list_databases(server, PREFIX):
        url = server.with_database(name)
        try:
            if _is_orphaned(name):
                postgresql.drop_database(url)
            elif _is_older_than(name, _DATABASE_ABANDONED_AFTER):
                postgresql.drop_unused_database(url)
        except CouldNotCheck as error:  # another role's, or swept by somebody else at this moment
            log.debug("scratch_database_not_swept", database=name, error=error.what)


def _sweep_folders(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        if _is_orphaned(folder.name) or _is_older_than(folder.name, _FOLDER_ABANDONED_AFTER):
            shutil.rmtree(folder, ignore_errors=True)  # somebody else's stays


def scratch_name(label: str) -> str:
    """A name of which ``scratch_database`` sees who made it: once that process is gone, what has it is swept."""
    readable = re.sub(r"[^a-z0-9]", "", label.lower())[:_LABEL_LENGTH] or "x"
    made_at = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    return f"{PREFIX}{readable}_{made_at}_{_host_digest()}_{os.getpid()}_{secrets.token_hex(3)}"


def _is_orphaned(name: str) -> bool:
    """Whether it was made by a process of this machine that is gone."""
    match = _NAME.fullmatch(name)
    return match is not None and match["host"] == _host_digest() and not _is_alive(int(match["pid"]))


def _is_older_than(name: str, age: timedelta) -> bool:
    """Whether another machine made it so long ago, by its own clock; of this one it is known who lives."""
    match = _NAME.fullmatch(name)
    if match is None or match["host"] == _host_digest():
        return False
    try:
        made_at = datetime.strptime(match["made_at"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    return datetime.now(UTC) - made_at > age


def _host_digest() -> str:
    """The range in which process ids mean something: this machine, this boot, this pid namespace."""
    facts = [platform.node()]
    try:
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    except OSError:  # not Linux
        facts.append(str(uuid.getnode()))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:6]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _read_major(url: DatabaseUrl) -> int:
    with postgresql.connect(url, read_only=True) as connection:
        return int(connection.value("SHOW server_version_num")) // 10000


def _require_same_major(found: int, wanted: int, place: str) -> None:
    if found != wanted:
        raise ToolMissing(
            f"{place} is PostgreSQL {found}, the target is {wanted}",
            why="another major describes the same schema in other words",
            next=f"set scratch_url to a PostgreSQL {wanted} server",
        )


def _no_way(tried: list[tuple[str, CouldNotCheck]]) -> CouldNotCheck:
    first = tried[0][1]
    reasons = (f"{way}: {error.what}" + (f" ({error.why})" if error.why else "") for way, error in tried)
    return type(first)(
        "no scratch database could be made",
        why="; ".join(reasons),
        next=f"{first.next.removesuffix(';')}; or set scratch_url to a server where databases may be created",
    )
