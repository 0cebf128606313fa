"""Sentences with code in them: a remedy says what to do, and then how it is written."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

CODE_INDENT = "    "
"""What a line of code begins with in a sentence of several lines."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of one kind that follow each other."""

    text: str
    is_code: bool


def split_passages(text: str) -> Iterator[Passage]:
    """Prose and code in turns; the code without what all of its lines are indented by."""
    lines = text.splitlines()
    for is_code, group in itertools.groupby(lines, key=lambda line: line.startswith(CODE_INDENT)):
        passage = "\n".join(group)
        if passage.strip():
            yield Passage(textwrap.dedent(passage).strip("\n") if is_code else passage.strip(), is_code)
