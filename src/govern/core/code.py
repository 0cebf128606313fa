"""What is read out of an application's source code: SQL wherever it lives, and names of tables and columns."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

HOLE = "\ufffc"
"""Stands in a text for what is only known when the program runs: Unicode's object replacement character."""

Reached = Literal["statement", "constant"]
"""``statement``: it is given to something that runs SQL; ``constant``: it looks like SQL, nobody is seen to run it."""
NameKind = Literal["table", "column"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place in a file, lines and columns counted from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Mark:
    """From ``offset`` of a text on, its characters follow each other in the file, from ``line`` and ``column`` on."""

    offset: int
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlText:
    """SQL in somebody's code, as the database would get it, with holes for what is not known."""

    text: str
    path: str
    marks: tuple[Mark, ...]
    """Where its characters come from, by offset; the first one is at 0."""
    via: str
    """What it is given to: ``execute``, ``text``, ``knex.raw``; ``file`` of an SQL file."""
    reached: Reached = "statement"

    @property
    def spot(self) -> Spot:
        """Where it begins."""
        return self.find_spot(len(self.text) - len(self.text.lstrip()))

    @property
    def is_whole(self) -> bool:
        """Whether all of it is known."""
        return HOLE not in self.text

    def find_spot(self, offset: int) -> Spot:
        """Where the character at this offset stands."""
        mark = self.marks[max(0, bisect_right(self.marks, offset, key=lambda mark: mark.offset) - 1)]
        between = self.text[mark.offset : offset]
        newlines = between.count("\n")
        column = len(between) - between.rfind("\n") if newlines else mark.column + len(between)
        return Spot(path=self.path, line=mark.line + newlines, column=column)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameUse:
    """A table or column that code names outside SQL."""

    kind: NameKind
    name: str
    """As written: ``users``, ``auth.users``, ``users.id``."""
    via: str
    """``__tablename__``, ``ForeignKey``, ``Entity``."""
    spot: Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A comment that says what a scan should leave alone."""

    line: int
    """The one that is meant."""
    stands_at: int
    rules: tuple[str, ...]
    """None: every rule."""
    reason: str
    text: str
    """The comment itself."""

    def names(self, rule: str) -> bool:
        return not self.rules or rule in self.rules


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFile:
    """All that one file says about a database."""

    path: str
    sql: tuple[SqlText, ...] = ()
    names: tuple[NameUse, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    problem: str = ""
    """Why it could not be read, or not all of it."""
