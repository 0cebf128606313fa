"""What repairs of the schema ask of an engine: gentle stages, indexes that are broken, columns of another type."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from govern.core.changes import Change
from govern.core.conversion import Conversion, Proof
from govern.core.restoration import Place
from govern.core.schema_repair import KeptValues, Stage
from govern.database.connection import Connection
from govern.database.row_spelling import RowTransaction
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenIndex:
    """An index that the engine does not use, or that is wrong."""

    place: Place
    """Of its table."""
    name: str
    rebuilding: str
    """The statement that makes it a good one."""
    is_leftover: bool = False
    """What an earlier rebuild left beside the index itself: it is dropped."""


class SchemaWork(Protocol):
    """Methods raise the driver's errors, but for ``working``."""

    def arrange(self, statements: Sequence[str]) -> tuple[Stage, ...]:
        """The same statements so that others hardly wait: keys are added and validated, indexes built concurrently."""

    def complete(self, chosen: Sequence[Change], changes: Sequence[Change]) -> tuple[Change, ...]:
        """With those of ``changes`` that go with the chosen ones whether one wants it or not."""

    def working(
        self, url: DatabaseUrl, table: VersionTable, *, lock_timeout_seconds: float
    ) -> AbstractContextManager[RowTransaction]:
        """A transaction that changes definitions, committed with the context.

        Raises HeldUp where a lock is not to be had in time, NotPermitted or FailedMidway where the engine says no.
        """

    def working_alone(
        self, url: DatabaseUrl, *, lock_timeout_seconds: float
    ) -> AbstractContextManager[Connection]:
        """A connection for statements that commit by themselves; raises as ``working`` does."""

    def drop_leftovers(self, connection: Connection, statement: str) -> tuple[str, ...]:
        """Drops what a statement of ``working_alone`` left when it failed; returns the names."""

    def find_broken_indexes(self, connection: Connection) -> tuple[BrokenIndex, ...]:
        """Every index that is there and not to be relied on, and what rebuilds left of themselves."""

    def find_index(self, connection: Connection, name: str) -> BrokenIndex | None:
        """The index of this name, broken or not; with its namespace or table, if that is written before it."""

    def read_locks(self, connection: Connection) -> tuple[str, ...]:
        """What the transaction holds that others wait for: ``public.notes ACCESS EXCLUSIVE``."""

    def cast(self, column: str, was: str, to: str) -> str:
        """The expression that converts a quoted column as a cast does."""

    def prove(self, url: DatabaseUrl, conversion: Conversion, key: Sequence[str], *, examples: int) -> Proof:
        """Asks all rows, in a transaction that cannot write."""

    def keep_values(
        self, work: RowTransaction, run: str, kept: KeptValues, conversions: Sequence[Conversion]
    ) -> None:
        """Copies the values of a column that is converted next, with what they become."""

    def give_back(self, run: str, kept: KeptValues) -> str:
        """The expression that gives a converted column its value before; a newer one is cast."""

    def forget_values(self, work: RowTransaction, run: str, kept: KeptValues) -> None:
        """Drops the copies."""
