"""What checks of rows ask of a database engine. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from govern.core.reference import NotCounted, OrphanCount, Reference
from govern.database.connection import Connection


class Integrity(Protocol):
    """The part of a dialect that looks into rows, and returns counts and keys, never rows."""

    def read_references(self, connection: Connection) -> tuple[Reference, ...]:
        """Every declared foreign key, whether the engine upholds it at the moment or not."""

    def resolve_implied(
        self, connection: Connection, implied: Sequence[Reference]
    ) -> tuple[Reference | NotCounted, ...]:
        """The same references with what the catalog knows of their columns and the tables' sizes."""

    def find_orphans(
        self, connection: Connection, references: Sequence[Reference], *, examples: int, seconds: float
    ) -> Iterator[OrphanCount | NotCounted]:
        """How many rows of each reference's child name no parent, with some of the values.

        ``seconds`` is for all of them together. What would take longer is looked at in a sample where the engine
        can draw one, and else not counted: both say so.
        """
