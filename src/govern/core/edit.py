"""Parts of a text that are to be something else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """From ``begin`` to ``end``, counted in characters, the text is to be another one."""

    begin: int
    end: int
    text: str = ""


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with all of them. Raises ValueError where two touch the same characters."""
    parts, at = [], 0
    for edit in sorted(set(edits)):
        if edit.begin < at:
            raise ValueError(f"two edits at {edit.begin}")
        parts += [text[at : edit.begin], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])
