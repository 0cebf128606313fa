"""A source file with all that is needed to write it again: its bytes, its text and its program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from govern.code.programs.program import Expression
from govern.code.tree import Tree

Language = Literal["python", "javascript", "typescript", "tsx", "sql"]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """One file as it was read."""

    path: Path
    name: str
    """As it is called in reports."""
    language: Language
    content: bytes
    text: str
    """Without its byte order mark, with its own ends of lines."""
    root: Expression
    comments: tuple[Span, ...] = ()

    def offset_of(self, line: int, column: int) -> int:
        """Of a place, lines and columns counted from 1."""
        at = 0
        for _ in range(line - 1):
            at = self.text.find("\n", at) + 1
            if not at:
                return len(self.text)
        return at + column - 1

    def place_of(self, offset: int) -> tuple[int, int]:
        """The line and the column of a character, counted from 1."""
        before = self.text[:offset]
        return before.count("\n") + 1, offset - before.rfind("\n")


def find_comments(tree: Tree) -> Iterator[Span]:
    for node in tree.find_all(kind="comment"):
        span = node.range()
        yield span.start.index, span.end.index
