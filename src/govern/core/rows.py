"""What is wrong with rows and what keeps them, as an engine counts it: values, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from govern.core.identifiers import quote

if TYPE_CHECKING:
    from govern.core.restoration import Place

PromiseKind = Literal["check", "not null", "enum", "domain", "storage class"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """What no two rows of a table may share."""

    table: Place
    columns: tuple[str, ...]
    """As people name them: columns, or the expressions of an index."""
    expressions: tuple[str, ...]
    """The same as SQL."""
    where: str = ""
    """The rows that are meant, as SQL; all of them if empty."""
    name: str = ""
    """Of the constraint or the index that is to keep it."""

    @classmethod
    def of_columns(cls, table: Place, columns: tuple[str, ...], *, name: str = "") -> Unique:
        return cls(table=table, columns=columns, expressions=tuple(map(quote, columns)), name=name)

    def is_as(self, other: Unique) -> bool:
        """Whether both mean the same, whatever they are called."""
        return (self.table, set(self.expressions), self.where) == (
            other.table,
            set(other.expressions),
            other.where,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What each row of a table is to be like, although the engine does not see to it."""

    table: Place
    kind: PromiseKind
    name: str
    """Of the constraint, or of the type."""
    doubt: str
    """Why the engine does not: ``it is NOT VALID``."""
    broken: str
    """Whether a row is otherwise, as SQL."""
    column: str | None = None
    """Of what is promised of one column."""
    key: tuple[str, ...] = ()
    """The table's primary key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostPromises:
    """What is declared of rows, and nothing in the live database keeps."""

    uniques: tuple[Unique, ...] = ()
    promises: tuple[Promise, ...] = ()


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

    unique: Unique
    values: int
    """How many different ones."""
    examples: tuple[str, ...] = ()
    query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPromise:
    """How many rows are otherwise than was promised of them."""

    promise: Promise
    rows: int
    examples: tuple[str, ...] = ()
    """Some of their keys."""
    query: str = ""


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
