"""What edits would do, as ``git apply`` and ``patch -p1`` read it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from govern.code.sources import Source

_NO_NEWLINE = "\\ No newline at end of file\n"


def render_difference(changed: Iterable[tuple[Source, Source]]) -> str:
    """One unified diff of all files, their own ends of lines kept."""
    return "".join(line for before, after in changed for line in _lines(before, after))


def _lines(before: Source, after: Source) -> Iterable[str]:
    mark = "\ufeff" if before.content.startswith(b"\xef\xbb\xbf") else ""
    old, new = (_split(f"{mark}{one.text}") for one in (before, after))
    for line in difflib.unified_diff(old, new, f"a/{before.name}", f"b/{before.name}"):
        yield line
        if not line.endswith("\n"):
            yield "\n" + _NO_NEWLINE


def _split(text: str) -> list[str]:
    """By line feeds alone, as git does."""
    *lines, rest = text.split("\n")
    return [f"{line}\n" for line in lines] + ([rest] if rest else [])
