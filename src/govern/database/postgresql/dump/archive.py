"""Writes the archive of a dump: a folder, a file for each table, or one file through a pipe."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from govern.database.encryption import Counted, Keys, decrypted, encrypt, encrypted_name
from govern.database.keeping import Progress
from govern.database.postgresql.dump.clients import HEAD_BYTES, Client
from govern.database.postgresql.dump.packing import TOC, choose_compression, pack
from govern.database.postgresql.dump.programs import Interrupted, run_program, run_program_group
from govern.database.url import DatabaseUrl

_PROGRESS_SECONDS = 0.2
_COMPRESSION = "1"  # gzip, whose checksums are worth having; higher levels take longer than they save


def write_folder(
    client: Client,
    arguments: Sequence[str],
    url: DatabaseUrl,
    archive: Path,
    *,
    size_bytes: int,
    jobs: int,
    progress: Progress | None,
    meanwhile: Callable[[], None],
    interrupt: Callable[[], None],
) -> None:
    """In pg_dump's directory format, ``jobs`` tables at a time, while the caller does something else ``meanwhile``.

    That is told to ``interrupt`` where pg_dump fails. ``size_bytes``: what the tables take in the database. Raises
    ProgramFailed, and what ``meanwhile`` raises.
    """
    compression, is_packed_by_us = choose_compression(client, archive.parent, size_bytes)
    options = [
        "--format=directory",
        f"--file={archive}",
        f"--jobs={jobs}",
        f"--compress={compression}",
        "--no-sync",  # who made the folder around it does that
    ]
    archive.mkdir(mode=0o700)  # pg_dump takes an empty one
    with (
        run_program_group(client.pg_dump, [*options, *arguments], url) as process,
        _watching(process, archive, progress, interrupt),
    ):
        meanwhile()
        process.wait()
    if progress:
        progress(measure(archive))
    if is_packed_by_us:
        pack(archive, jobs=jobs)


def write_stream(
    client: Client,
    arguments: Sequence[str],
    url: DatabaseUrl,
    file: Path,
    *,
    keys: Keys,
    progress: Progress | None,
) -> None:
    """In pg_dump's custom format, as its standard output gives it: pg_dump cannot outlive who reads it.

    Encrypted, where ``keys`` have recipients, and then under the name of such files.
    """
    options = ["--format=custom", f"--compress={_COMPRESSION}"]
    with (
        run_program(client.pg_dump, [*options, *arguments], url) as output,
        _create(encrypted_name(file) if keys.wants_encryption else file) as archive,
    ):
        write = partial(encrypt, keys=keys) if keys.wants_encryption else shutil.copyfileobj
        write(Counted(output, progress), archive)


@dataclass(frozen=True, slots=True)
class Archive:
    """What a dump is restored from; ``keys`` where it is encrypted."""

    path: Path
    keys: Keys | None = None

    @property
    def is_encrypted(self) -> bool:
        return self.keys is not None

    @property
    def size(self) -> int:
        """In bytes."""
        return measure(self.path)

    def read_head(self) -> bytes:
        """Its first bytes, or of a folder those of its table of contents. Raises what ``decrypted`` does."""
        if self.keys is not None:
            with decrypted(self.path, self.keys) as content:
                return content.read(HEAD_BYTES)
        file = self.path / TOC if self.path.is_dir() else self.path
        with file.open("rb") as content:
            return content.read(HEAD_BYTES)

    @contextmanager
    def handed_over(self) -> Iterator[tuple[list[str], IO[bytes] | int]]:
        """The arguments and the standard input with which pg_restore reads it."""
        if self.keys is None:
            yield [str(self.path)], subprocess.DEVNULL
            return
        with decrypted(self.path, self.keys) as content:
            yield [], content


def measure(archive: Path) -> int:
    """The bytes of an archive, be it a file or a folder."""
    if archive.is_file():
        return archive.stat().st_size
    return sum(file.stat().st_size for file in archive.iterdir())


@contextmanager
def _watching(
    process: subprocess.Popen[bytes], archive: Path, progress: Progress | None, interrupt: Callable[[], None]
) -> Iterator[None]:
    """Tells how far a process is that writes a folder, and interrupts the block if it fails before that ends.

    Then the block's end raises Interrupted.
    """
    is_over, was_interrupted = threading.Event(), threading.Event()

    def watch() -> None:
        while not is_over.wait(_PROGRESS_SECONDS):
            if process.poll() not in (None, 0):
                was_interrupted.set()
                interrupt()  # time and again: the block may have been between two queries
            elif progress:
                progress(measure(archive))

    watcher = threading.Thread(target=watch)
    try:
        watcher.start()  # in here: Ctrl-C may come while it starts, and nobody else would tell it that it is over
        yield
    except Exception as error:
        if was_interrupted.is_set():
            raise Interrupted from error
        raise
    finally:
        is_over.set()
        if watcher.ident is not None:
            watcher.join()


def _create(file: Path) -> IO[bytes]:
    file.touch(mode=0o600, exist_ok=False)
    return file.open("wb")
