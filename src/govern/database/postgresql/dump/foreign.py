"""Dumps of PostgreSQL that somebody else made: what they are, what they tell about themselves, and their restore.

To look at one never executes anything of it.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO

from govern.core.discovery import FoundDump
from govern.database.postgresql.dump.clients import find_clients
from govern.database.postgresql.dump.programs import ProgramFailed, run_tool

ARCHIVE, FOLDER, TAR, SCRIPT, CLUSTER = (
    "pg_dump archive",
    "pg_dump folder",
    "pg_dump tar",
    "pg_dump script",
    "pg_dumpall script",
)
_TOC = "toc.dat"
_MAGIC = b"PGDMP"
_GZIP = b"\x1f\x8b"
_HEAD_BYTES = 512
_MOST_LINES = 2_000_000
"""So much of a script is looked at: beyond it nobody knows the tables without reading all of it."""

_CREATED = re.compile(r"; Archive created at (?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_DUMPED_FROM = re.compile(r"(?:;|--)\s+Dumped from database version:? (?P<version>\d+(?:\.\d+)*)")
_TABLE = re.compile(r"\d+; \d+ \d+ TABLE (?!DATA |ATTACH )(?P<schema>\S+) (?P<table>.+) \S+$")
_CREATE_TABLE = re.compile(
    r"CREATE (?:UNLOGGED )?TABLE (?P<name>(?:\"[^\"]+\"|\w+)(?:\.(?:\"[^\"]+\"|\w+))?)"
)
_STARTED = re.compile(r"-- Started on (?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")


def recognize(path: Path) -> str | None:
    """The kind of dump by its first bytes; None for anything else. Raises OSError."""
    if path.is_dir():
        toc = path / _TOC
        return FOLDER if toc.is_file() and _read_head(toc).startswith(_MAGIC) else None
    if path.name == _TOC:
        return None  # told with its folder
    head = _read_head(path)
    if head.startswith(_MAGIC):
        return ARCHIVE
    if head[257:262] == b"ustar" and head.startswith(_TOC.encode() + b"\0"):
        return TAR
    for line in head[:200].splitlines():
        if line.startswith(b"-- PostgreSQL database dump"):
            return SCRIPT
        if line.startswith(b"-- PostgreSQL database cluster dump"):
            return CLUSTER
    return None


def describe(path: Path, kind: str) -> FoundDump:
    """What the dump tells about itself. Raises OSError."""
    if kind in (SCRIPT, CLUSTER):
        return _describe_script(path, kind)
    if is_compressed(path):
        trouble = "it is compressed once more: what it holds is known after it was unpacked"
        return FoundDump(path=path, kind=kind, dialect="postgresql", trouble=trouble)
    return _describe_archive(path, kind)


def is_compressed(path: Path) -> bool:
    """Whether a file is a gzip file. Raises OSError."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(2) == _GZIP


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """A script's lines; what is not UTF-8 in them is kept as it is. Raises OSError."""
    opener = gzip.open if is_compressed(path) else open
    with opener(path, "rt", encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        yield lines


def _read_head(path: Path) -> bytes:
    """The first bytes, unpacked. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.startswith(_GZIP):
        return head
    try:
        with gzip.open(path, "rb") as file:
            return file.read(_HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""


def _describe_archive(path: Path, kind: str) -> FoundDump:
    clients = find_clients()
    if not clients:
        return FoundDump(
            path=path, kind=kind, dialect="postgresql", trouble="there is no pg_restore to look into it"
        )
    try:
        # the newest reads the archives of all before it
        with run_tool(clients[-1].pg_restore, ["--list", str(path)]) as output:
            listing = output.read().decode(errors="replace")
    except ProgramFailed as error:
        return FoundDump(path=path, kind=kind, dialect="postgresql", trouble=error.words.splitlines()[0])
    created, version = _CREATED.search(listing), _DUMPED_FROM.search(listing)
    tables = (_TABLE.match(line) for line in listing.splitlines())
    return FoundDump(
        path=path,
        kind=kind,
        dialect="postgresql",
        made_at=_read_time(created["time"]) if created else None,
        server_version=version["version"] if version else None,
        tables=tuple(sorted(_name(found["schema"], found["table"]) for found in tables if found)),
    )


def _describe_script(path: Path, kind: str) -> FoundDump:
    version, started, tables, rows = None, None, list[str](), 0
    is_whole = True
    try:
        with open_text(path) as lines:
            for line in islice(lines, _MOST_LINES):
                rows += 1
                if line.startswith("CREATE ") and (found := _CREATE_TABLE.match(line)):
                    tables.append(_plain(found["name"]))
                elif line.startswith("-- "):
                    version = version or _DUMPED_FROM.match(line)
                    started = started or _STARTED.match(line)
            is_whole = rows < _MOST_LINES
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return FoundDump(
            path=path, kind=kind, dialect="postgresql", trouble=f"it is no whole gzip file: {error}"
        )
    return FoundDump(
        path=path,
        kind=kind,
        dialect="postgresql",
        made_at=_read_time(started["time"]) if started else None,
        server_version=version["version"] if version else None,
        tables=tuple(sorted(tables)) if is_whole else None,
        trouble="" if is_whole else "it is long: only its beginning was looked at",
    )


def _read_time(text: str) -> datetime:
    """A dump has the time of day as it was where it was made; it is taken for this machine's."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _name(schema: str, table: str) -> str:
    return table if schema == "public" else f"{schema}.{table}"


def _plain(name: str) -> str:
    return name.replace('"', "").removeprefix("public.")
