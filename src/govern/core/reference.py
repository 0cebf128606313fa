"""Rows that name other rows: by a declared foreign key, or as the manifest says; and those that name none."""

from __future__ import annotations

from dataclasses import dataclass

from govern.core.restoration import Place, name_place
from govern.core.snapshot import join_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Columns of a child table whose values are a row's of a parent table, or NULL."""

    child: Place
    columns: tuple[str, ...]
    parent: Place
    parent_columns: tuple[str, ...]
    name: str | None = None
    """The foreign key's; None of an implied one."""
    doubt: str | None = None
    """Why the server would let orphans in at the moment: ``it is NOT VALID``. None where it would not, or is not
    asked: of an implied one."""
    is_match_full: bool = False
    """Whether NULL in some of several columns is wrong, too (MATCH FULL)."""
    is_temporal: bool = False
    """Whether the last column is a range that the parents' together have to cover (PERIOD)."""
    alone: frozenset[Place] = frozenset()
    """Of the two tables those that others inherit from, whose rows a foreign key does not mean."""
    when: tuple[tuple[str, str], ...] = ()
    """Columns of the child with the values, as text, that its rows have to have to be meant: owner_type, user."""
    has_same_types: bool = True
    """Else the values are compared as texts."""
    is_indexed: bool = False
    """Whether an index of the child starts with the columns: then its distinct values are cheap to have."""
    has_same_order: bool = False
    """Whether both sides sort the values of their one column alike: then a part of them is answered by a part."""
    child_rows: int | None = None
    """An estimate; None where nobody ever made one."""
    parent_rows: int | None = None
    on_delete: str = "no action"
    """What a deleted parent does to its children: ``cascade``, ``set null``, ``set default``, ``restrict``."""
    set_null: tuple[str, ...] = ()
    """The columns that ``set null`` empties."""

    @property
    def child_name(self) -> str:
        """As people say it, without the usual namespaces."""
        return name_place(self.child)

    @property
    def parent_name(self) -> str:
        return name_place(self.parent)

    def __str__(self) -> str:
        """``orders.user_id → users.id``, without the usual namespaces."""
        only = "".join(f" where {column} is {value}" for column, value in self.when)
        return f"{_side(self.child, self.columns)}{only} → {_side(self.parent, self.parent_columns)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanCount:
    """How many rows of a child name no row of the parent."""

    reference: Reference
    rows: int
    examples: tuple[str, ...] = ()
    """Some of the values that no parent has, as texts; of several columns separated by commas."""
    query: str = ""
    """What shows all of them."""
    sampled_percent: float | None = None
    """How much of the child was looked at, where all of it would have taken too long; ``rows`` is of that part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCounted:
    """A reference that could not be looked at."""

    reference: Reference
    why: str


def _side(place: Place, columns: tuple[str, ...]) -> str:
    if len(columns) == 1:
        return f"{name_place(place)}.{join_name(*columns)}"
    return f"{name_place(place)} ({', '.join(columns)})"
