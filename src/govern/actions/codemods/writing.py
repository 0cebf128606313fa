"""Files written whole or not at all, and only if they are still what was read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from govern.code.sources import Source
from govern.errors import NotPermitted, Refused

_ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "latin-1",
    "cp1252",
    "iso-8859-15",
    "shift_jis",
    "euc_jp",
    "gbk",
)


def encode_like(source: Source, text: str) -> bytes | None:
    """The text as the file's bytes say it; None where nobody can tell how they do, or it cannot."""
    for encoding in _ENCODINGS:
        try:
            if source.text.encode(encoding) == source.content:
                return text.encode(encoding)
        except UnicodeEncodeError:
            continue
    return None


def write_source(before: Source, content: bytes) -> None:
    """Replaces a file in one step; its mode stays, and a link stays a link.

    Raises Refused where the file is not any more what was read, NotPermitted where it cannot be written.
    """
    path = before.path.resolve()
    try:
        if path.read_bytes() != before.content:
            raise Refused(
                f"{before.name} was changed while it was looked at",
                why="what was decided about it may not hold any more",
                next="run it again",
                state=f"{before.name} is as somebody else left it",
            )
        _replace(path, content)
    except OSError as error:
        raise NotPermitted(
            f"{before.name} could not be written",
            why=error.strerror or str(error),
            next=f"make {path.parent} writable",
        ) from error


def _replace(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(path.stat().st_mode & 0o7777)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
