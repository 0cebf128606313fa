"""Opening, creating and dropping SQLite files. A file is never created by looking at it."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from govern.database.connection import Connection
from govern.errors import CouldNotCheck, Locked, NoSuchDatabase, NotPermitted, Unreachable

if TYPE_CHECKING:
    from govern.database.url import DatabaseUrl

_BUSY_TIMEOUT_SECONDS = 10.0
_ABOUT_STATEMENTS = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_SCHEMA})
_FILE = "SELECT file FROM pragma_database_list WHERE name = 'main'"
_COMPANIONS = ("-wal", "-shm", "-journal")


def connect(
    url: DatabaseUrl, *, read_only: bool = False, busy_timeout_seconds: float = _BUSY_TIMEOUT_SECONDS
) -> Connection:
    """Opens a file that exists; one of no bytes is an empty database. Waits 10 seconds at most for another's lock.

    What a process that was killed left half written is taken back first, as by everybody who opens the file.

    Raises Unreachable where there is no such file, it is no SQLite database or stays locked, NotPermitted
    where it may not be read.
    """
    file = url.path.absolute()
    _require_file(file)
    mode = "ro" if read_only else "rw"
    try:
        driver = sqlite3.connect(
            f"file:{quote(str(file))}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=min(busy_timeout_seconds, _BUSY_TIMEOUT_SECONDS),
        )
    except sqlite3.Error as error:
        raise explain(error, file) from error
    try:
        driver.execute("PRAGMA schema_version").fetchone()  # opening alone reads nothing
        # as SQLite has it by default and changing a schema needs it; a build may have another default
        driver.execute("PRAGMA foreign_keys = OFF")
    except sqlite3.Error as error:
        driver.close()
        if read_only and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_ROLLBACK:
            connect(url, busy_timeout_seconds=busy_timeout_seconds).close()
            return connect(url, read_only=True, busy_timeout_seconds=busy_timeout_seconds)
        raise explain(error, file) from error
    return Connection(driver, begin="BEGIN" if read_only else "BEGIN IMMEDIATE")


def exists(url: DatabaseUrl) -> bool:
    """Whether there is such a file, whatever it holds."""
    return url.path.is_file()


def create_database(url: DatabaseUrl) -> None:
    """Creates an empty file that only its owner may read. Raises CouldNotCheck, NotPermitted."""
    what = f"the SQLite file {url.path} could not be created"
    try:
        os.close(os.open(url.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError as error:
        raise CouldNotCheck(what, why="it is there already", next="choose another name") from error
    except OSError as error:
        raise _explain_os(error, what, url.path.parent) from error


def copy_database(source: DatabaseUrl, copy: DatabaseUrl) -> None:
    """Copies a file that nobody writes to, and that has nothing left in a WAL. Raises CouldNotCheck, NotPermitted."""
    create_database(copy)
    try:
        shutil.copyfile(source.path, copy.path)
    except OSError as error:
        what = f"the SQLite file {source.path} could not be copied"
        raise _explain_os(error, what, copy.path.parent) from error


def drop_database(url: DatabaseUrl) -> None:
    """Removes the file and SQLite's own beside it; no error if they are gone. Raises NotPermitted."""
    try:
        for suffix in ("", *_COMPANIONS):
            Path(f"{url.path}{suffix}").unlink(missing_ok=True)
    except OSError as error:
        raise _explain_os(
            error, f"the SQLite file {url.path} could not be removed", url.path.parent
        ) from error


def list_databases(url: DatabaseUrl, prefix: str) -> tuple[str, ...]:
    """Names of the files in the same folder that begin with ``prefix``, sorted, without SQLite's own."""
    try:
        files = tuple(url.path.absolute().parent.iterdir())
    except OSError as error:
        raise _explain_os(error, f"the folder of {url.path} could not be read", url.path.parent) from error
    names = (file.name for file in files if file.is_file() and not file.name.endswith(_COMPANIONS))
    return tuple(sorted(name for name in names if name.startswith(prefix)))


def read_server_version(connection: Connection) -> str:
    """The version of the SQLite library: ``3.45.1``."""
    return str(connection.value("SELECT sqlite_version()"))


def errors() -> tuple[type[Exception], ...]:
    """What the driver raises when SQLite refuses a statement."""
    return (sqlite3.Error,)


def run_script(connection: Connection, sql: str) -> None:
    """Runs a text of several statements, all or none. Raises sqlite3.Error."""
    driver: Any = connection.driver
    try:
        driver.executescript(f"BEGIN IMMEDIATE;\n{sql}\n;COMMIT;")
    finally:
        if driver.in_transaction:
            driver.execute("ROLLBACK")


def _require_file(file: Path) -> None:
    try:
        if file.is_file():
            return
        found = "a folder" if file.is_dir() else "no file" if not file.exists() else "no regular file"
    except PermissionError as error:
        raise _explain_os(error, f"the SQLite file {file} cannot be opened", file.parent) from error
    raise NoSuchDatabase(
        f"there is no SQLite database {file}",
        why=f"there is {found} of that name",
        next="correct the path: sqlite:///a.db is relative to the working folder, sqlite:////a.db absolute",
    )


def is_about_the_file(error: sqlite3.Error) -> bool:
    """Whether the file is what is wrong, and not a statement."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF not in _ABOUT_STATEMENTS


@contextmanager
def explaining_locks(connection: Connection) -> Iterator[None]:
    """Raises Locked where another process has kept the file for longer than was waited."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise explain(error, Path(connection.value(_FILE))) from error


def explain(error: sqlite3.Error, file: Path) -> CouldNotCheck:
    """By SQLite's primary result code, the low byte of the extended one (https://sqlite.org/rescode.html)."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return Unreachable(
            f"{file} is not a SQLite database",
            why=f"{error}; an encrypted one looks the same",
            next="correct the path in the URL",
        )
    if code == sqlite3.SQLITE_CORRUPT:
        return Unreachable(
            f"the SQLite database {file} is damaged",
            why=str(error),
            next="restore it from a backup: govern backup list",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Locked(
            f"the SQLite database {file} is locked",
            why=f"another process has held its lock for {_BUSY_TIMEOUT_SECONDS:.0f} seconds",
            next="wait for it, or end it, and run again",
        )
    return NotPermitted(
        f"the SQLite database {file} cannot be opened",
        why=str(error),
        next="make the file, and for one in WAL mode its folder too, readable and writable",
    )


def _explain_os(error: OSError, what: str, folder: Path) -> CouldNotCheck:
    why = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CouldNotCheck(what, why=why, next="free some space")
    if error.errno == errno.ENOENT:
        return CouldNotCheck(what, why=f"there is no folder {folder}", next=f"create {folder}")
    return NotPermitted(what, why=why, next=f"see to the permissions of {folder}")
