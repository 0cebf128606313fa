"""What checks of rows ask of a database engine. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from govern.core.snapshot import default_namespace

if TYPE_CHECKING:
    from govern.core.keys import Overlap
    from govern.core.reference import NotCounted, OrphanCount, Reference
    from govern.core.restoration import Place
    from govern.core.rows import (
        BrokenPromise,
        Damage,
        Duplicates,
        LostPromises,
        NotLookedAt,
        Promise,
        SequencePosition,
        Unique,
    )
    from govern.core.snapshot import Snapshot
    from govern.core.table_shape import TableShape
    from govern.database.connection import Connection
    from govern.database.dialect import Dialect
    from govern.database.version_table import VersionTable


def home_of_rows(connection: Connection, dialect: Dialect) -> str:
    """The namespace, in places of rows, of what nobody names one of.

    Of one schema by itself there is none: its sessions begin there, and so all tenants' rows are spoken of alike.
    """
    return default_namespace(dialect.name) if connection.schema is None else ""


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

    def read_shapes(self, connection: Connection, table: VersionTable) -> Mapping[Place, TableShape]:
        """Tables as rows see them, but for Alembic's version ``table`` and govern's own."""

    def measure_overlap(
        self, connection: Connection, reference: Reference, *, values: int, seconds: float
    ) -> Overlap | None:
        """How many of at most ``values`` different ones of the child the parent has; None where that cannot be read."""

    def find_duplicates(
        self, connection: Connection, uniques: Sequence[Unique], *, examples: int, seconds: float
    ) -> Iterator[Duplicates | NotLookedAt]:
        """Values that more than one row has, of what ``uniques`` name, or a broken index should keep so.

        ``seconds`` is for each of them.
        """

    def read_sequence_positions(self, connection: Connection) -> Iterator[SequencePosition | NotLookedAt]:
        """Where sequences and the columns that they fill are; of engines that keep the two apart."""

    def find_lost_promises(self, declared: Snapshot | None, live: Snapshot) -> LostPromises:
        """What is declared of rows, and nothing in the live database keeps: constraints, unique indexes, types.

        ``declared``: None where it is not known; then what a column's type says where the engine does not keep it.
        """

    def find_broken(
        self, connection: Connection, promises: Sequence[Promise], *, examples: int, seconds: float
    ) -> Iterator[BrokenPromise | NotLookedAt]:
        """Rows that are otherwise than ``promises`` say, or the constraints that are not upheld for all rows.

        ``seconds`` is for each of them.
        """

    def ask(self, connection: Connection, query: str, *, seconds: float) -> Any:
        """The first value that somebody else's query yields. Raises the driver's error.

        It is one statement, in a transaction that cannot write, and ends after ``seconds``.
        """

    def find_damage(self, connection: Connection, *, seconds: float) -> Iterator[Damage | NotLookedAt]:
        """What is broken in the database's files, as far as the engine can tell in ``seconds``."""
