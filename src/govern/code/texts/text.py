"""A text that is being put together out of a program's expressions, which knows where its parts stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from govern.core.code import HOLE, Mark, Reached, SqlText

if TYPE_CHECKING:
    from ast_grep_py import SgNode


@dataclass(slots=True)
class Text:
    """A text that is being put together."""

    parts: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    length: int = 0
    is_sql: bool = False
    """Whether the program says that it is SQL, by a tag or a wrapper: no value that is bound."""

    def add(self, part: str, line: int, column: int) -> None:
        """``line`` and ``column``, counted from 0: where it stands."""
        if part:
            self.marks.append(Mark(self.length, line + 1, column + 1))
            self.parts.append(part)
            self.length += len(part)

    def extend(self, other: Text) -> None:
        self.marks += [Mark(self.length + mark.offset, mark.line, mark.column) for mark in other.marks]
        self.parts += other.parts
        self.length += other.length
        self.is_sql = self.is_sql or other.is_sql

    @property
    def content(self) -> str:
        return "".join(self.parts)

    @property
    def says_something(self) -> bool:
        """Whether there is more than holes in it."""
        return bool(self.content.replace(HOLE, "").strip())

    @property
    def is_known(self) -> bool:
        """Whether there is no hole in it."""
        return not any(HOLE in part for part in self.parts)

    def as_sql(self, path: str, via: str, reached: Reached, engine: str = "") -> SqlText:
        return SqlText(
            text=self.content, path=path, marks=tuple(self.marks), via=via, reached=reached, engine=engine
        )


def text_at(content: str, node: SgNode) -> Text:
    """What an expression makes that does not write it down: as if it stood where the expression begins."""
    text, start = Text(), node.range().start
    text.add(content, start.line, start.column)
    return text


def hole_at(node: SgNode) -> Text:
    """A text of which nothing is known."""
    return text_at(HOLE, node)


def join_texts(texts: Iterable[Text | None]) -> Text | None:
    """Those that are known, one after the other; None where none is."""
    known = [text for text in texts if text is not None]
    if not known:
        return None
    joined = Text()
    for text in known:
        joined.extend(text)
    return joined
