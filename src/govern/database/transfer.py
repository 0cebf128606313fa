"""Taking rows of one database over into another of the same engine, in one transaction on that other one.

A dialect brings the statements; what is done with them, and in which order, is decided in ``govern.actions.restore``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from govern.core.merging import Orphans, Staged
from govern.core.restoration import Place
from govern.core.snapshot import ColumnOrder
from govern.core.table_shape import ForeignKey, TableShape
from govern.database.connection import Connection

Reference = tuple[Place, ForeignKey]
"""A table and one of its foreign keys."""


class Transfer(Protocol):
    """An open transaction on the live database, which sees the source's rows. It ends with its context."""

    @property
    def connection(self) -> Connection:
        """The live database's."""

    def read_shapes(self) -> Mapping[Place, TableShape]:
        """The live tables that rows are put into, a partitioned one as a whole; none of Alembic's or govern's own."""

    def read_source(self) -> ColumnOrder:
        """The source's tables, and their columns."""

    def stage(
        self, place: Place, columns: tuple[str, ...], key: tuple[str, ...], *, on_demand: bool = False
    ) -> Staged:
        """Fetches the source's rows of a table and finds those that the live one lacks: its missing rows.

        Without a key whole rows are compared, and counted. ``on_demand``: rows become missing ones only
        as ``pull_in`` finds that others refer to them.
        """

    def pull_in(self, parent: Place, references: Sequence[Reference]) -> int:
        """Makes missing rows of those that missing rows refer to by ``references``; returns how many were new."""

    def leave_out_collisions(self, place: Place, unique: tuple[str, ...]) -> int:
        """Takes from the missing rows those of which another live row has the values of ``unique``."""

    def find_orphans(self, place: Place, reference: ForeignKey) -> Orphans | None:
        """Missing rows whose parent is neither live nor among the parent's missing rows."""

    def insert(self, place: Place, *, without: tuple[str, ...] = ()) -> int:
        """Inserts the missing rows, but for those that somebody inserted meanwhile; returns how many it were.

        ``without``: columns that stay NULL until ``fill``.
        """

    def fill(self, place: Place, columns: tuple[str, ...]) -> None:
        """Gives the inserted rows the values that were left out at first."""

    def lock(self, places: Sequence[Place]) -> None:
        """Lets nobody else write to these tables until the end of the transaction."""

    def mark_removed(self, place: Place) -> int:
        """Marks the live rows that the source has not, to be removed; returns how many."""

    def mark_referring(self, place: Place, reference: ForeignKey) -> int:
        """Marks the rows of ``place``, itself staged, that refer to marked ones; returns how many were new."""

    def count_referring(self, place: Place, reference: ForeignKey) -> int:
        """Rows of a table that is not staged, and refer to marked ones."""

    def remove(self, place: Place) -> int:
        """Deletes the marked rows, and counts them; what the source has of them is missing from then on."""

    def overwrite(self, place: Place) -> int:
        """Gives live rows that have the key of a source's row that one's content; returns how many changed."""

    def advance_sequences(self, places: Sequence[Place]) -> None:
        """Moves what numbers their rows past the largest number that is there, never back."""

    def link(self, place: Place, name: str, definition: str) -> None:
        """Adds a foreign key that went with the table it refers to."""

    def check(self) -> None:
        """Checks what is otherwise checked at the commit. Raises Refused."""
