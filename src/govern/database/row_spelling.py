"""What repairs of rows ask of an engine: the few expressions that are not the same SQL everywhere, and its catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from govern.core.restoration import Place
from govern.core.row_repair import Action, MovedSequence
from govern.core.rows import SequencePosition
from govern.core.table_shape import TableShape
from govern.database.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTable:
    """A table whose rows may be repaired."""

    shape: TableShape
    types: Mapping[str, str]
    """Of the columns that take values, as the engine writes them."""
    triggers: tuple[tuple[str, frozenset[Action]], ...] = ()
    """The team's own, each with what it fires on."""
    obstacle: str | None = None
    """Why its rows cannot be kept track of, if so."""

    @property
    def place(self) -> Place:
        return self.shape.place

    @property
    def key(self) -> tuple[str, ...]:
        """What tells one row from all others; empty where nothing does."""
        return next((key for key in self.shape.keys if set(key) <= set(self.shape.columns)), ())


class RowTransaction(NamedTuple):
    """An open transaction in which rows are looked at, or changed."""

    connection: Connection
    spelling: Spelling


class Spelling(Protocol):
    """Expressions are SQL texts; columns that are given to them carry their alias."""

    marks: str
    """The temporary table of marked rows: number, part, id."""
    records: str
    """The table that says which runs have copied rows."""
    schemas: str
    """The table with the schemas that repairs of the schema found: run, name, content."""
    create_schemas: str
    """Makes it where there is none."""
    placeholder: str
    """Of a parameter."""
    copied_type: str
    """Of the columns that copied values are in; empty where they keep their own."""
    equal: str
    """Between two values, of which NULL is one."""
    equal_key: str
    """The same between values of a key, by an index."""
    overriding: str
    """What lets an INSERT give values to columns that the engine numbers by itself."""

    def read_tables(self, connection: Connection) -> Mapping[Place, RowTable]:
        """All tables but govern's and Alembic's own; of partitions the whole."""

    def lock(self, connection: Connection, places: Sequence[Place]) -> None:
        """Nobody else writes to these tables until the end of the transaction."""

    def identify(self, alias: str) -> str:
        """Two values that tell a row from all others as long as it is not changed."""

    def is_marked(self, alias: str, numbers: Sequence[int]) -> str:
        """Whether a row has one of these marks."""

    def require_query(self, connection: Connection, query: str) -> None:
        """Lets the engine read ``query``, which is one statement and not two. Raises the driver's error."""

    def insert_marked(
        self, connection: Connection, place: Place, columns: Sequence[str], query: str, number: int
    ) -> None:
        """Inserts what ``query`` yields, and marks the new rows."""

    def prepare_records(self, connection: Connection) -> None:
        """Makes the table ``records`` where there is none: run, position, record."""

    def has_records(self, connection: Connection) -> bool:
        """Whether there is that table."""

    def copy_of(self, run: str, number: int) -> str:
        """The name of the table that copied rows are in, quoted."""

    def measure(self, connection: Connection, copy: str) -> int:
        """How many bytes a table of copies takes; ``copy`` is its name, quoted."""

    def store(self, column: str) -> str:
        """A value as it is copied."""

    def restore(self, copied: str, kind: str) -> str:
        """The value that was copied; ``kind`` is the column's type."""

    def is_as_copied(self, column: str, copied: str) -> str:
        """Whether a live value is, bit for bit, the copied one."""

    def silence_triggers(self, connection: Connection) -> bool:
        """No trigger fires, and no foreign key is checked, until the end; False where that is not to be had."""

    def move_sequence(self, connection: Connection, position: SequencePosition) -> MovedSequence:
        """Lets it go on behind the largest value there is."""

    def move_back(self, connection: Connection, moved: MovedSequence) -> bool:
        """Undoes it; False where the sequence has given values since."""
