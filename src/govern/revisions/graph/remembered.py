"""What revision files said when they were read before, so that only new ones are parsed: Python's own parser is slow.

A file of the user's cache, which nothing needs: what a project brings with it could say of a revision what it liked.
What it has of one is found by the file's name and the hash of its content, never by its age, and the whole holds only
for the reader and the Python that wrote it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from govern.log import Log
from govern.revisions.graph import files
from govern.revisions.graph.files import BrokenFile, Parse, RevisionFile, parse_revision_file
from govern.version import __version__

log = Log(__name__)

FILE = "revisions.json"
"""One line is the hash of the reader and of all that follows: of a damaged file nothing is believed."""
_SPARE = 10_000
"""How many that this run did not ask for are kept besides: of another branch, of another target."""

_Entry = list[Any]

_NAMES = tuple(field.name for field in fields(RevisionFile) if field.name != "path")
_take = attrgetter(*_NAMES)


@contextmanager
def remembering(folder: Path) -> Iterator[Parse]:
    """``parse_revision_file`` with a memory in that folder, which is made if it is missing; broken files are read anew.

    Where the folder cannot be written, nothing is remembered. Of several at once the last one's memory stays.
    """
    memory = _Memory(_load(folder / FILE))
    yield memory.parse
    if memory.has_learned:
        try:
            _save(folder / FILE, memory.entries())
        except OSError as error:
            log.debug("revisions_not_remembered", error=str(error))


class _Memory:
    """What was known before, and what this run asked for."""

    def __init__(self, earlier: dict[str, _Entry]) -> None:
        self.has_learned = False
        self._earlier = earlier
        self._used: dict[str, _Entry] = {}

    def parse(self, path: Path, content: bytes) -> RevisionFile | BrokenFile:
        key = f"{hashlib.sha256(content).hexdigest()} {path.name}"  # of some files the name is the id
        entry = self._earlier.get(key)
        if entry is not None:
            self._used[key] = entry
            return _recall(path, entry)
        parsed = parse_revision_file(path, content)
        if isinstance(parsed, RevisionFile):
            self._used[key] = list(_take(parsed))
            self.has_learned = True
        return parsed

    def entries(self) -> dict[str, _Entry]:
        others = ((key, entry) for key, entry in self._earlier.items() if key not in self._used)
        return self._used | dict(itertools.islice(others, _SPARE))


def _recall(path: Path, entry: _Entry) -> RevisionFile:
    """JSON has lists where there were tuples."""
    values = (tuple(value) if isinstance(value, list) else value for value in entry)
    named: dict[str, Any] = dict(zip(_NAMES, values, strict=True))
    return RevisionFile(path=path, **named)


def _load(file: Path) -> dict[str, _Entry]:
    """Nothing for a file that is missing, damaged, or another reader's."""
    try:
        mark, _, body = file.read_bytes().partition(b"\n")
    except OSError:
        return {}
    found: dict[str, _Entry] = json.loads(body) if mark == _mark(body) else {}
    return found


def _save(file: Path, entries: dict[str, _Entry]) -> None:
    """In one step. Raises OSError."""
    import tempfile  # slow to import, and seldom needed

    body = json.dumps(entries, separators=(",", ":")).encode()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as temporary:
        try:
            temporary.write(_mark(body) + b"\n" + body)
            temporary.close()
            Path(temporary.name).replace(file)
        except BaseException:
            with suppress(OSError):
                Path(temporary.name).unlink()
            raise


def _mark(body: bytes) -> bytes:
    return hashlib.sha256(_READER + body).hexdigest().encode()


def _describe_reader() -> bytes:
    """The sources of what reads, as they are while they are imported, and whose parser it asks."""
    try:
        sources = [Path(source).read_bytes() for source in (files.__file__, __file__)]
    except OSError:  # govern as a part of a program that is frozen
        sources = [__version__.encode()]
    return b"".join(hashlib.sha256(part).digest() for part in (sys.version.encode(), *sources))


_READER = _describe_reader()
