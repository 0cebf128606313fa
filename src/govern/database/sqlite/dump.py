"""Copies a SQLite database that is in use, through the online backup API. A dump is a folder of one file."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from govern.database.connection import Connection
from govern.database.encryption import NO_KEYS, Damaged, Keys, decrypted, encrypt, encrypted_name
from govern.database.keeping import Moment, Progress, Witness
from govern.database.sqlite import server
from govern.errors import CouldNotCheck, FailedMidway, Refused, Unreachable

if TYPE_CHECKING:
    from govern.database.url import DatabaseUrl

DATABASE = "database.sqlite"

_PAGES_A_STEP = 1000
_PROGRESS_SECONDS = 0.2
_CHUNK_BYTES = 1 << 18  # of larger ones the allocator gives each back to the system
_KERNEL_BYTES = 1 << 26

# Creating a virtual table creates its shadow tables, so these come first and shadow tables are there already.
_SCHEMA = """
SELECT type, name, sql FROM sqlite_master
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
ORDER BY CASE WHEN sql LIKE 'CREATE VIRTUAL TABLE%' THEN 0
              WHEN type = 'table' THEN 1 WHEN type = 'index' THEN 2 WHEN type = 'view' THEN 3
              ELSE 4 END, rowid
"""
_EXISTS = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = ? AND name = ?)"


def dump(
    url: DatabaseUrl,
    folder: Path,
    *,
    schema_only: bool = False,
    keys: Keys = NO_KEYS,
    progress: Progress | None = None,
    witness: Witness | None = None,
) -> str:
    """Writes the database into ``folder``, which exists and is empty, and returns ``sqlite3 3.45.1``.

    The copy is of one moment: a read transaction is held while it is made, because without one every write
    of another process would start the copy anew (SQLite Backup API, sqlite3_backup_step). In WAL mode
    nobody waits for it; in the other modes writers wait while it is made, about two seconds a gigabyte.
    ``witness`` is called with connections to the copy. That is made in memory where it is to be encrypted.

    Raises Unreachable or CouldNotCheck, and OSError if the folder cannot be written.
    """
    file = encrypted_name(folder / DATABASE) if keys.wants_encryption else folder / DATABASE
    file.touch(mode=0o600, exist_ok=False)
    if keys.wants_encryption:
        _dump_encrypted(url, file, keys, progress, witness)
        return f"sqlite3 {sqlite3.sqlite_version}"
    with _translated_errors(url), server.connect(url, read_only=True) as source:
        with source.transaction("BEGIN"), closing(_open(file, "mode=rw")) as copy:
            source.value("SELECT count(*) FROM sqlite_master")  # BEGIN alone takes no lock
            if schema_only:
                _copy_schema(source, Connection(copy))
            else:
                _copy_pages(source.driver, copy, progress)
        if witness:
            with _reading(file) as copied:
                witness(Moment(connection=copied, open_another=lambda: _reading(file)))
    return f"sqlite3 {sqlite3.sqlite_version}"


def _dump_encrypted(
    url: DatabaseUrl, file: Path, keys: Keys, progress: Progress | None, witness: Witness | None
) -> None:
    with (
        _translated_errors(url),
        server.connect(url, read_only=True) as source,
        Connection(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)) as copy,
    ):
        with source.transaction("BEGIN"):
            source.value("SELECT count(*) FROM sqlite_master")  # BEGIN alone takes no lock
            _copy_pages(source.driver, copy.driver, progress)
        if witness:
            witness(Moment(connection=copy, open_another=lambda: nullcontext(copy)))
        content = copy.driver.serialize()  # type: ignore[attr-defined]  # sqlite3's
    with io.BytesIO(content) as pages, file.open("wb") as encrypted:
        encrypt(pages, encrypted, keys)


def restore(
    folder: Path,
    url: DatabaseUrl,
    *,
    schema_only: bool = False,
    keys: Keys = NO_KEYS,
    sha256: str | None = None,
) -> tuple[str, ...]:
    """Copies a ``dump`` into an existing, empty database and checks the structure of every page.

    But for ``schema_only`` the database is the same file then, byte for byte: it is compared with the checksum that
    the dump is known to have, else with the dump. Returns nothing: all kinds of objects are restored. Raises Refused if
    the database is not empty, FailedMidway with SQLite's words if the copy cannot be made or is damaged.
    """
    file = folder / DATABASE
    try:
        with server.connect(url) as target:
            if target.value("SELECT count(*) FROM sqlite_master"):
                raise Refused(
                    f"{url} is not empty",
                    why="a dump is restored into an empty database",
                    next="give another",
                )
            if schema_only:
                with _reading(file) as source:
                    _copy_schema(source, target)
        if schema_only:
            answer = _check_pages(url)
        else:
            _put_in(folder, keys, url.path)
            # SQLite and what compares large chunks let each other run
            with ThreadPoolExecutor(1) as beside:
                comparing = beside.submit(_is_copy, url.path, folder, keys, sha256)
                answer = _check_pages(url)
                if not comparing.result():
                    answer = "the copy is not what was dumped: see to the disk"
    except (sqlite3.Error, OSError, Unreachable, Damaged) as error:
        raise _not_restored(url, getattr(error, "why", "") or str(error)) from error
    if answer != "ok":
        raise _not_restored(url, answer)
    return ()


def _check_pages(url: DatabaseUrl) -> str:
    with server.connect(url, read_only=True) as target:
        return str(target.value("PRAGMA quick_check(1)"))


@contextmanager
def _reading_dump(folder: Path, keys: Keys) -> Iterator[IO[bytes]]:
    encrypted = encrypted_name(folder / DATABASE)
    opened = decrypted(encrypted, keys) if encrypted.exists() else (folder / DATABASE).open("rb")
    with opened as content:
        yield content


def _put_in(folder: Path, keys: Keys, target: Path) -> None:
    """Into the file that is there already, and keeps its mode.

    It is not emptied first: ext4 would write all of it to the disk when it is closed (auto_da_alloc).
    """
    with _reading_dump(folder, keys) as content, target.open("r+b") as copy:
        _copy_in_the_kernel(content, copy)
        shutil.copyfileobj(content, copy, _CHUNK_BYTES)  # what is left
        copy.truncate()


def _copy_in_the_kernel(content: IO[bytes], copy: IO[bytes]) -> None:
    """As far as it can, which is all of it or nothing on most systems; some file systems only share the blocks."""
    with suppress(AttributeError, OSError):  # not on macOS, between all file systems, from a pipe
        while os.copy_file_range(content.fileno(), copy.fileno(), _KERNEL_BYTES):
            pass


def _is_copy(copy: Path, folder: Path, keys: Keys, sha256: str | None) -> bool:
    if sha256 is not None:
        with copy.open("rb") as ours:
            return hashlib.file_digest(ours, "sha256").hexdigest() == sha256
    with copy.open("rb") as ours, _reading_dump(folder, keys) as theirs:
        while (chunk := ours.read(_CHUNK_BYTES)) == theirs.read(_CHUNK_BYTES):
            if not chunk:
                return True
    return False


# A dump in WAL mode would otherwise get -wal and -shm files beside it whenever it is read.
_UNCHANGING = "mode=ro&immutable=1"


def _reading(file: Path) -> Connection:
    return Connection(_open(file, _UNCHANGING))


def _open(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file.resolve()))}?{mode}", uri=True, isolation_level=None)


def _copy_pages(source: object, target: object, progress: Progress | None) -> None:
    assert isinstance(source, sqlite3.Connection)  # noqa: S101  what server.connect opens
    assert isinstance(target, sqlite3.Connection)  # noqa: S101
    page_bytes = source.execute("PRAGMA page_size").fetchone()[0]
    reported_at = time.monotonic()

    def report(_status: int, remaining: int, total: int) -> None:
        # called after every step, also without progress: it is where Ctrl-C gets in
        nonlocal reported_at
        if progress and (remaining == 0 or time.monotonic() - reported_at >= _PROGRESS_SECONDS):
            progress((total - remaining) * page_bytes)
            reported_at = time.monotonic()

    source.backup(target, pages=_PAGES_A_STEP, progress=report)


def _copy_schema(source: Connection, target: Connection) -> None:
    with target.transaction():
        for kind, name, sql in source.rows(_SCHEMA):
            if not target.value(_EXISTS, (kind, name)):
                target.execute(sql)


@contextmanager
def _translated_errors(url: DatabaseUrl) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CouldNotCheck(
            f"the database {url.path} could not be copied", why=str(error), next="correct that and run again"
        ) from error


def _not_restored(url: DatabaseUrl, why: str) -> FailedMidway:
    return FailedMidway(
        f"the dump could not be restored into {url.path}",
        why=why,
        next="verify the backup: govern backup verify",
        state="the file may hold a part of it; it was empty before",
    )
