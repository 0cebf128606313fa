"""What is read out of an application's source code: SQL wherever it lives, and names of tables and columns."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Literal

_CREATES = re.compile(r"create\b|\brename\s+to\b|(?<!insert)(?<!merge)(?<!replace)\sinto\b", re.IGNORECASE)
_CREATING = ("create", "rename", "into")
"""Without one of them nothing does: most statements have none."""
HOLE = "\ufffc"
"""Stands in a text for what is only known when the program runs: Unicode's object replacement character."""

Reached = Literal["statement", "constant"]
"""``statement``: it is given to something that runs SQL; ``constant``: it looks like SQL, nobody is seen to run it."""
NameKind = Literal["table", "column", "model"]


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
    engine: str = ""
    """What its driver speaks to: ``sqlite``, ``mysql``; nothing where the code does not say."""

    @property
    def spot(self) -> Spot:
        """Where it begins."""
        return self.find_spot(len(self.text) - len(self.text.lstrip()))

    @property
    def is_whole(self) -> bool:
        """Whether all of it is known."""
        return HOLE not in self.text

    @property
    def may_create(self) -> bool:
        """Whether a table may come to be by it. Of INSERT INTO none does."""
        text = self.text.lower()
        return any(word in text for word in _CREATING) and _CREATES.search(self.text) is not None

    def find_spot(self, offset: int) -> Spot:
        """Where the character at this offset stands."""
        mark = self.marks[max(0, bisect_right(self.marks, offset, key=lambda mark: mark.offset) - 1)]
        between = self.text[mark.offset : offset]
        newlines = between.count("\n")
        column = len(between) - between.rfind("\n") if newlines else mark.column + len(between)
        return Spot(path=self.path, line=mark.line + newlines, column=column)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameUse:
    """A table, a column or a model that code names outside SQL."""

    kind: NameKind
    name: str
    """As written: ``users``, ``auth.users``, ``users.id``."""
    via: str
    """``__tablename__``, ``ForeignKey``, ``Entity``."""
    spot: Spot
    is_beside_table: bool = False
    """Of a column: whether its table is a use of its own, so that nothing need be said of it twice."""
    may_be_renamed: bool = False
    """Whether a library may turn it from camel case into snake case on its way to the database."""
    engine: str = ""
    """What it is for, as of ``sqliteTable``; nothing where the code does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A class, or a variable with a table of Core, whose attributes stand for columns."""

    name: str
    table: str = ""
    bases: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    """Of the class itself, of whatever kind."""
    is_core: bool = False
    """Whether it is a table of Core: its columns are the database's."""
    is_open: bool = False
    """Whether it may have members that its text does not tell."""
    spot: Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberUse:
    """An attribute of a model that a query names."""

    model: str
    home: str = ""
    """The module that the model comes from, as the file imports it; nothing where it is the file's own."""
    name: str
    via: str
    spot: Spot
    is_core: bool = False
    """Whether it is asked of a table of Core, as ``users.c.id``."""


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
    models: tuple[Model, ...] = ()
    members: tuple[MemberUse, ...] = ()
    gives: tuple[tuple[str, str], ...] = ()
    """Models and the members that they get from elsewhere: by a ``backref``, by an assignment."""
    makes: tuple[str, ...] = ()
    """Tables that it makes for itself by other means than SQL."""
    search_path: tuple[str, ...] = ()
    """Schemas that it has names without a schema looked for in."""
    ignores: tuple[Ignore, ...] = ()
    problem: str = ""
    """Why it could not be read, or not all of it."""

    @property
    def surroundings(self) -> CodeFile:
        """What of it others depend on: tables that it makes, models, where it has names looked for."""
        creating = tuple(sql for sql in self.sql if sql.may_create)
        return replace(self, sql=creating, names=(), members=(), ignores=(), problem="")
