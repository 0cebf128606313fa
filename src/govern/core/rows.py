"""What is wrong with rows and what keeps them, as an engine counts it: values, never rows."""

from __future__ import annotations

from dataclasses import dataclass

from govern.core.restoration import Place

Unique = tuple[Place, tuple[str, ...]]
"""A table and the columns that no two of its rows may share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencePosition:
    """A sequence that gives a column its values, and how far both have come."""

    sequence: Place
    table: Place
    column: str
    last: int | None
    """The last value it gave; None of one that gave none."""
    largest: int | None
    """In the column; None where it has no rows."""

    @property
    def is_behind(self) -> bool:
        """Whether it is going to give a value that is there already."""
        return self.largest is not None and (self.last is None or self.last < self.largest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Values that more than one row has."""

    table: Place
    columns: tuple[str, ...]
    values: int
    """How many different ones."""
    examples: tuple[str, ...] = ()
    query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenCheck:
    """A check constraint that the server does not uphold for all rows, and how many break it."""

    table: Place
    name: str
    doubt: str
    """``it is NOT VALID``."""
    rows: int
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Something in a database's files that is not as the engine wrote it."""

    what: str
    """A table or an index; empty for the file as a whole."""
    said: str
    """By the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLookedAt:
    """Something that could not be looked at."""

    what: str
    why: str
