"""How a folder of pg_dump is compressed: by pg_dump itself where it does that fast, else by us, as pg_dump would.

A packed folder is what ``pg_dump --format=directory --compress=gzip`` writes: every pg_restore reads it.
"""

from __future__ import annotations

import shutil
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from govern.database.postgresql.dump.clients import Client, can_compress

TOC = "toc.dat"
"""The table of contents of an archive in pg_dump's directory format."""

_FAST = (
    "zstd:1",
    "lz4",
)  # measured in docs/decisions/0006; a client that has them was built with their libraries
_BY_ITSELF = "1"  # gzip, at the level that saves most for its time
_BY_US = "0"
_WORTHWHILE_BYTES = 32_000_000
_CHUNK_BYTES = 1 << 22
_LEVEL = 1
_GZIP_FORMAT = 31  # window bits of zlib: the largest window, and gzip's header

# the head of a table of contents (pg_backup_archiver.c, WriteHead): "PGDMP", version of three bytes, sizes of
# integers and offsets, format, then how the data are compressed: a byte since 1.15, before that the level as a number
_HEAD = b"PGDMP\x01"
_COMPRESSION_AT = 11
_NAMES_ALGORITHM = 15
_GZIP, _GZIP_LEVEL = b"\x01", b"\x00\x01"  # a number is its sign and its bytes, the lowest first


def choose_compression(client: Client, folder: Path, size_bytes: int) -> tuple[str, bool]:
    """What pg_dump is to be told, and whether the folder is packed by us afterwards.

    That needs the tables' ``size_bytes`` of room for a while; where it is not there, pg_dump does it, and takes longer.
    So it does with a small database, which is not worth to ask what it was built with.
    """
    if size_bytes < _WORTHWHILE_BYTES:
        return _BY_ITSELF, False
    for compression in _FAST:
        if can_compress(client, compression):
            return compression, False
    if _find_packer() is not None and shutil.disk_usage(folder).free > 2 * size_bytes:
        return _BY_US, True
    return _BY_ITSELF, False


def pack(archive: Path, *, jobs: int) -> None:
    """Compresses the data of a folder that pg_dump left as they are. Raises OSError."""
    files = [file for file in archive.glob("*.dat") if file.name != TOC]
    with ThreadPoolExecutor(jobs) as threads:
        for file in files:
            _pack_file(file, threads, ahead=2 * jobs)
    _declare_gzip(archive / TOC)


def _pack_file(file: Path, threads: ThreadPoolExecutor, *, ahead: int) -> None:
    """In pieces, each a stream of its own, which gzip reads as one (RFC 1952, 2.2): all threads work on a file."""
    packer: Any = _find_packer()
    packed = file.with_name(f"{file.name}.gz")
    packed.touch(mode=0o600, exist_ok=False)
    packing: deque[Future[bytes]] = deque()
    with file.open("rb") as content, packed.open("wb") as output:
        while chunk := content.read(_CHUNK_BYTES):
            packing.append(threads.submit(packer.compress, chunk, _LEVEL, wbits=_GZIP_FORMAT))
            if len(packing) > ahead:
                output.write(packing.popleft().result())
        for piece in packing:
            output.write(piece.result())
    file.unlink()


def _declare_gzip(toc: Path) -> None:
    """pg_restore finds the files without it, but not how large they are: it begins with the largest."""
    with toc.open("r+b") as file:
        head = file.read(_COMPRESSION_AT)
        if len(head) < _COMPRESSION_AT or not head.startswith(_HEAD):
            return
        file.write(_GZIP if head[len(_HEAD)] >= _NAMES_ALGORITHM else _GZIP_LEVEL)


@cache
def _find_packer() -> Any:
    """ISA-L's gzip: as fast as zstd's first level. None on a machine that it was not built for."""
    try:
        from isal import isal_zlib
    except ImportError:
        return None
    return isal_zlib
