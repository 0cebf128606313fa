"""Files written whole or not at all, and only if they are still what was read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection
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


def is_writable(source: Source) -> bool:
    """Whether it is known how the file's bytes say its text."""
    return _find_encoding(source) is not None


def write_sources(changed: Collection[tuple[Source, Source]]) -> None:
    """Replaces files, each in one step, as they were by as they are to be; modes stay, and links stay links.

    Raises Refused where one of them is not any more what was read, and nothing is written then unless somebody saves it
    at this very moment; NotPermitted where one cannot be written. Both say what was written before.
    """
    encoded = [
        (before, after.text.encode(encoding))
        for before, after in changed
        if (encoding := _find_encoding(before))
    ]
    for before, _ in encoded:
        _require_as_read(before, ())
    written: list[str] = []
    for before, content in encoded:
        _require_as_read(before, written)
        try:
            _replace(before.path.resolve(), content)
        except OSError as error:
            raise NotPermitted(
                f"{before.name} could not be written",
                why=error.strerror or str(error),
                next=f"make {before.path.resolve().parent} writable, and run it again",
                state=_say(written),
            ) from error
        written.append(before.name)


def _find_encoding(source: Source) -> str | None:
    for encoding in _ENCODINGS:
        try:
            if source.text.encode(encoding) == source.content:
                return encoding
        except UnicodeEncodeError:
            continue
    return None


def _require_as_read(before: Source, written: Collection[str]) -> None:
    try:
        is_as_read = before.path.read_bytes() == before.content
    except OSError:
        is_as_read = False
    if not is_as_read:
        raise Refused(
            f"{before.name} was changed while it was looked at",
            why="what was decided about it may not hold any more",
            next="run it again",
            state=f"{before.name} is as somebody else left it; {_say(written)}",
        )


def _say(written: Collection[str]) -> str:
    return f"already written: {', '.join(written)}" if written else "nothing was written"


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
