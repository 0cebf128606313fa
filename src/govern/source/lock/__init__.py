"""``schema.lock``: a snapshot as text that people review, one object or fact a line. Renders and reads it.

    column public.users.email
      type: "character varying(320)"
      nullable: false

A value is JSON; a list or a text of several lines stands below its name, ``-`` before each item and ``|``
before each line. A line that an editor would spoil (trailing space, control characters) is JSON instead.
"""

from __future__ import annotations

import codecs
import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from govern.errors import ConfigurationError
from govern.source.lock.reading import WRITE_ANEW, read_header, read_snapshot
from govern.source.lock.rendering import render_lock
from govern.source.lock.syntax import NO_TABLES

if TYPE_CHECKING:
    from govern.core.snapshot import Snapshot

__all__ = ["Lock", "parse_lock", "read_lock", "render_lock"]


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What a lock file says."""

    heads: tuple[str, ...]
    """The chain's heads when it was written."""
    digest: str
    """sha256 of the text, 64 hexadecimal digits; the same whatever the line ends."""
    dialect: str
    server_major: int
    """Of the server it was written for; a lock is not rewritten for a minor version."""
    critical_tables: Mapping[str, int] = field(default_factory=lambda: NO_TABLES, hash=False)
    """Those of the manifest, by full name as it means it (``public.users``; SQLite: ``users``), each with the rows
    without which the application does not start; 0: none are asked for."""
    read_snapshot: Callable[[], Snapshot] = field(repr=False, compare=False)

    @functools.cached_property
    def snapshot(self) -> Snapshot:
        """``server_version`` is the major version alone. Raises ConfigurationError if it was not read at once."""
        return self.read_snapshot()

    def speaks_of(self, live: Snapshot) -> bool:
        """Whether it was written for the same engine and major version, so that texts can be compared."""
        return (self.dialect, self.server_major) == (live.dialect, live.server_major)


def read_lock(path: Path, *, at_once: bool = True) -> Lock | None:
    """The lock in a file; None where there is no file. Raises ConfigurationError with the line.

    ``at_once``: whether all of it is read now. Else its objects are read when they are asked for, as nobody may do
    who finds the digest to be the expected one.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read", why=str(error), next=WRITE_ANEW) from error
    return _parse(content, path, at_once=at_once)


def parse_lock(text: str, path: Path, *, at_once: bool = True) -> Lock:
    """Reads what ``render_lock`` wrote. Raises ConfigurationError with the line if it is something else."""
    return _parse(text.encode(), path, at_once=at_once)


def _parse(content: bytes, path: Path, *, at_once: bool) -> Lock:
    """Of a lock of many megabytes nothing but the header is decoded before somebody asks for its objects."""
    content = content.removeprefix(codecs.BOM_UTF8)
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
    header = read_header(_decode(content.partition(b"\n\n")[0], path), path)
    lock = Lock(
        heads=tuple(header["heads"]),
        digest=hashlib.sha256(content).hexdigest(),
        dialect=header["dialect"],
        server_major=header["server"],
        critical_tables=header.get("critical_tables", NO_TABLES),
        read_snapshot=lambda: read_snapshot(_decode(content, path), path),
    )
    if at_once:
        _ = lock.snapshot
    return lock


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} cannot be read", why=str(error), next=WRITE_ANEW) from error
