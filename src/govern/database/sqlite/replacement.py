"""Puts the content of one SQLite file in the place of another's, under the connections that are open on it.

The file itself is never replaced: whoever has it open would go on to write into the old one. Its pages are written in
one transaction by the backup API, from a moment on in which nobody else writes until that transaction ends.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from govern.database.sqlite import locks, server
from govern.database.url import DatabaseUrl
from govern.errors import CouldNotCheck, NotPermitted, Refused

if TYPE_CHECKING:
    from govern.database.connection import Connection
    from govern.database.keeping import Judge

_SIDE, KEPT = ".govern-restored-", ".before-restore-"
_COMPANIONS = ("-wal", "-shm", "-journal")
_BUSY_SECONDS = 10.0
_POLL_SECONDS = 0.001


@contextmanager
def replacing(
    url: DatabaseUrl, *, wait_seconds: float, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[_Replacement]:
    """See ``govern.database.dialect.Dialect``."""
    with locks.hold_migration_lock(url, wait_seconds=wait_seconds):
        for left in server.list_databases(url, url.path.name + _SIDE):  # whoever made them is dead
            server.drop_database(beside(url, left))
        replacement = _Replacement(url, f"{now():%Y%m%d%H%M%S}")
        server.create_database(replacement.side)
        try:
            yield replacement
        finally:
            server.drop_database(replacement.side)


class _Replacement:
    """See ``govern.database.dialect.Replacement``."""

    put_back = None  # one transaction is done or not done

    def __init__(self, url: DatabaseUrl, moment: str) -> None:
        self._live = url.path.absolute()
        self._kept = self._live.with_name(f"{self._live.name}{KEPT}{moment}")
        self._url = url
        self.side = beside(url, f"{self._live.name}{_SIDE}{moment}")
        self.kept_as = str(self._kept)
        self.how_to_drop = f"rm {shlex.quote(self.kept_as)}"
        self.is_missing = not self._live.exists()

    def exchange(self, judge: Judge | None) -> None:
        with _explained(self._live):
            if self.is_missing:
                self._put_in_place()
            elif judge is None:
                self._move_away()
                self._put_in_place()
            elif self._is_in_wal_mode():
                self._write_beside_readers(judge)
            else:
                self._write_alone(judge)

    def _is_in_wal_mode(self) -> bool:
        with server.connect(self._url, read_only=True) as connection:
            return bool(connection.value("PRAGMA journal_mode") == "wal")

    def _write_alone(self, judge: Judge) -> None:
        """In a file without a write-ahead log, a connection in exclusive mode keeps its lock between transactions."""
        with server.connect(self._url) as live, server.connect(self.side, read_only=True) as side:
            _take_for_good(live, self._live)
            judge(live)
            self._keep(live)
            _sqlite(side).backup(_sqlite(live))

    def _write_beside_readers(self, judge: Judge) -> None:
        """With a write-ahead log others may read all the time, and the first page that is written keeps writers out."""
        has_judged = False
        deadline = time.monotonic() + _BUSY_SECONDS

        def before_the_rest(status: int, _remaining: int, _total: int) -> None:
            nonlocal has_judged
            if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                if time.monotonic() > deadline:
                    raise _in_use(self._live)
            elif not has_judged:
                has_judged = True
                with server.connect(self._url, read_only=True) as live:
                    judge(live)
                    self._keep(live)

        with (
            server.connect(self._url) as live,
            server.connect(self.side, read_only=True) as side,
            side.transaction("BEGIN"),
        ):
            side.value("SELECT count(*) FROM sqlite_master")  # BEGIN alone takes no lock
            _sqlite(side).backup(_sqlite(live), pages=1, progress=before_the_rest)

    def _keep(self, live: Connection) -> None:
        kept = beside(self._url, self._kept.name)
        server.create_database(kept)
        with server.connect(kept) as copy:
            _sqlite(live).backup(_sqlite(copy))

    def _move_away(self) -> None:
        """What cannot be read is kept byte by byte."""
        for companion in ("", *_COMPANIONS):
            with suppress(FileNotFoundError):
                Path(f"{self._live}{companion}").rename(f"{self._kept}{companion}")
        self._kept.chmod(0o600)

    def _put_in_place(self) -> None:
        """Where no file is, none is overwritten that came a moment ago."""
        os.link(self.side.path, self._live)


def _take_for_good(connection: Connection, live: Path) -> None:
    """Keeps everybody else out of the file for as long as the connection, in exclusive mode, lives.

    The writer's lock is tried for at short intervals: SQLite's own are longer than those of busy writers. With it
    the present readers are waited for, and no others come in.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    connection.value("PRAGMA busy_timeout = 0")
    _until_free(lambda: connection.execute("BEGIN IMMEDIATE"), deadline, live)
    # not before: in this mode a reader's lock is kept, too, and a writer waits for it who has what is wanted here
    connection.value("PRAGMA locking_mode = EXCLUSIVE")
    version = connection.value("PRAGMA user_version")
    connection.execute(f"PRAGMA user_version = {version}")  # only what writes takes the file whole
    connection.value(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}")
    _until_free(lambda: connection.execute("COMMIT"), deadline, live)


def _until_free(take: Callable[[], None], deadline: float, live: Path) -> None:
    while True:
        try:
            return take()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > deadline:
                raise _in_use(live) from error
        time.sleep(_POLL_SECONDS)


def _sqlite(connection: Connection) -> sqlite3.Connection:
    driver = connection.driver
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  what server.connect opens
    return driver


def beside(url: DatabaseUrl, name: str) -> DatabaseUrl:
    """Another file of the same folder."""
    scheme = urlsplit(url.text).scheme
    return DatabaseUrl.parse(f"{scheme}:///{quote(str(url.path.absolute().with_name(name)))}")


@contextmanager
def _explained(live: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise _in_use(live) from error
        raise CouldNotCheck(
            f"the SQLite database {live} could not be restored",
            why=str(error),
            next="correct that and run again",
        ) from error
    except OSError as error:
        raise NotPermitted(
            f"the SQLite database {live} could not be exchanged",
            why=str(error),
            next=f"see to the permissions of {live.parent}",
        ) from error


def _in_use(live: Path) -> Refused:
    return Refused(
        f"the SQLite database {live} is in use",
        why=f"another process has held its lock for {_BUSY_SECONDS:.0f} seconds",
        next="wait for it, or end it, and run again",
    )
