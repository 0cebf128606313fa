"""A second server for databases that nobody will miss, as those of tests: in memory where there is room for it, and it
never waits for a disk. To make a database is to make some hundred files."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from govern.database import embedded
from govern.database.url import DatabaseUrl

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, which nobody else may have made
_ROOM_BYTES = 1_000_000_000
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "64MB",
    "max_connections": "300",
}


def ensure_running(
    state_folder: Path, *, memory: Path = _MEMORY, room_bytes: int = _ROOM_BYTES
) -> DatabaseUrl:
    """Its database ``app``; created and started where it is not. It keeps running, as the embedded server does.

    Raises as ``embedded.ensure_running``.
    """
    inside = _memory_folder(state_folder, memory)
    if _is_ours(inside) or (_has_room(memory, room_bytes) and _make(inside)):
        return embedded.ensure_running(inside, settings=_SETTINGS)
    return embedded.ensure_running(_disk_folder(state_folder), settings=_SETTINGS)


def stop(state_folder: Path, *, memory: Path = _MEMORY) -> bool:
    """Stops it; what was in memory is gone, and room again. False if it was not running."""
    stopped = [folder for folder in _folders(state_folder, memory) if embedded.stop(folder)]
    inside = _memory_folder(state_folder, memory)
    if _is_ours(inside):
        shutil.rmtree(inside, ignore_errors=True)
    return bool(stopped)


def _folders(state_folder: Path, memory: Path) -> Iterator[Path]:
    """Where it may be, as state folders of its own."""
    inside = _memory_folder(state_folder, memory)
    if _is_ours(inside):
        yield inside
    yield _disk_folder(state_folder)


def _disk_folder(state_folder: Path) -> Path:
    return state_folder / "throwaway"


def _memory_folder(state_folder: Path, memory: Path) -> Path:
    """One for each user and project."""
    digest = hashlib.sha256(str(state_folder.resolve()).encode()).hexdigest()[:12]
    return memory / f"govern-{os.geteuid()}-{digest}"


def _is_ours(folder: Path) -> bool:
    """Whether we made it: everybody may make folders there."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _has_room(memory: Path, room_bytes: int) -> bool:
    try:
        return shutil.disk_usage(memory).free >= room_bytes
    except OSError:
        return False


def _make(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o711)  # the server may run as another user, who has to pass
    except OSError:
        return False
    return True
