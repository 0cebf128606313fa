"""What govern asks of a database engine. A dialect's difference lives behind this protocol, nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from govern.database.integrity import Integrity
from govern.database.keeping import Keeping
from govern.database.url import DatabaseUrl

if TYPE_CHECKING:
    from govern.core.changes import Change
    from govern.core.health import Load, RowCount, Storage
    from govern.core.plan import TableSize
    from govern.core.probed import Probed
    from govern.core.progress import BatchLeftover, LeftoverIndex, NotedStatement
    from govern.core.repair import Proposal
    from govern.core.right import MissingRight, Right
    from govern.core.run import Run
    from govern.core.session import OpenTransaction, Replica
    from govern.core.snapshot import ColumnOrder, Coverage, ObjectKey, Snapshot
    from govern.database.connection import Connection
    from govern.database.judging import Judging
    from govern.database.row_spelling import RowTransaction
    from govern.database.schema_work import SchemaWork
    from govern.database.version_table import VersionTable

OpenScratch = Callable[[], AbstractContextManager[DatabaseUrl]]
"""Opens a scratch database for as long as the context lasts."""


@dataclass(frozen=True, slots=True)
class MigrationLock:
    """How to take the lock that serialises migrations of one database: by a query or by a file.

    A query is polled on the connection that will migrate (never a blocking wait: that deadlocks with CREATE
    INDEX CONCURRENTLY) and answers true once the lock is held; it ends with its session.
    """

    query: str | None = None
    holder_query: str | None = None
    """Says who holds it, as one line of text; no row if nobody does."""
    file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long the session that migrates may wait and work. 0: as the server has it."""

    lock_timeout_seconds: float = 0.0
    """Of each statement in the queue for a lock."""
    statement_timeout_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What the session that holds the migration lock is doing at the moment, in words for people."""

    blockers: tuple[str, ...] = ()
    """Sessions that it waits for: ``pid 4123 (psql), idle in transaction for 12s``."""
    progress: str | None = None
    """How far an index is built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much room a database takes, in bytes."""

    tables: int
    """Without indexes: what a backup holds, before it is compressed."""
    whole: int
    """What a restored copy takes."""
    packing: float
    """Bytes of a backup for each of ``tables``, where no earlier backup tells."""
    folder: Path | None
    """Where it lies, if that is on this machine and may be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratingSession:
    """The session that has the migration lock. By its number alone it could be taken for a later one."""

    pid: int
    since: datetime


class Dialect(Keeping, Integrity, Protocol):
    """One database engine. Methods raise Unreachable, NotPermitted or ToolMissing where that is the cause."""

    name: str
    is_server: bool
    """Whether there are roles, other sessions and replicas."""
    locks_tables: bool
    """Whether a statement locks single tables against others; where the whole database is locked, none does."""

    def connect(self, url: DatabaseUrl, *, read_only: bool = False, repeats: bool = False) -> Connection:
        """Opens a database that exists; never creates one (nor a SQLite file). Raises Unreachable.

        ``repeats``: the same queries are asked many times over, on a server that no proxy stands before.
        """

    def exists(self, url: DatabaseUrl) -> bool:
        """Whether there is such a database on a server that answers; raises Unreachable if none answers."""

    def read_server_version(self, connection: Connection) -> str:
        """As people say it: ``18.4``, ``3.45.1``."""

    def read_version_rows(self, connection: Connection, table: VersionTable) -> tuple[str, ...] | None:
        """The stamped revisions, sorted; None where there is no version table."""

    def find_version_tables(self, connection: Connection, table: VersionTable) -> tuple[str, ...]:
        """The namespaces that have a table of that name, also those that Alembic would not look into."""

    def read_snapshot(self, connection: Connection, table: VersionTable) -> Snapshot:
        """Every schema-defining fact, but for Alembic's version table and govern's own tables."""

    def read_coverage(self) -> tuple[Coverage, ...]:
        """Every kind of object the engine knows, and whether ``read_snapshot`` has it; asks no database."""

    def read_column_order(self, connection: Connection) -> ColumnOrder:
        """The columns of every table in the order they stand."""

    def read_fingerprint(self, connection: Connection, table: VersionTable) -> str:
        """A digest of the live schema that changes when any fact of ``read_snapshot`` does."""

    def read_watermark(self, connection: Connection, table: VersionTable) -> str | None:
        """What ``is_untouched`` is asked with later; None where the engine has no cheaper way than a fingerprint."""

    def is_untouched(self, connection: Connection, table: VersionTable, watermark: str) -> bool:
        """Whether the fingerprint is certainly what it was when ``watermark`` was read; False where it may not be."""

    def find_equal_texts(self, changes: Sequence[Change], scratch: OpenScratch) -> tuple[Change, ...]:
        """Of ``changes``, those whose texts mean the same, each with these of its facts alone.

        ``scratch`` opens a scratch database that holds the declared or the live schema; it is opened only if
        there is something to ask it about, and left as it was.
        """

    def working_on_rows(
        self, url: DatabaseUrl, table: VersionTable, *, read_only: bool, seconds: float | None = None
    ) -> AbstractContextManager[RowTransaction]:
        """Opens a transaction for a repair of rows, or for its plan: then nothing can be written in it.

        It is committed with the context. What the engine refuses is raised as Refused or NotPermitted, and nothing is
        kept. What is not done after ``seconds`` is ended with CouldNotCheck.
        """

    def count_rows(self, connection: Connection, tables: Iterable[tuple[str, str]]) -> Mapping[str, int]:
        """Exact rows of each (namespace, table), by ``namespace.table`` (SQLite: ``table``)."""

    def judging(self) -> Judging:
        """How statements are held against a schema, without running them."""

    def run_script(self, connection: Connection, sql: str) -> None:
        """Runs a text of several statements, all or none where the engine can. Raises the driver's error."""

    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises when the database refuses a statement."""

    def propose_repair(
        self,
        live: DatabaseUrl,
        copy: DatabaseUrl,
        declared: DatabaseUrl,
        expected: Snapshot,
        table: VersionTable,
        conversions: Mapping[ObjectKey, str] = MappingProxyType({}),
    ) -> Proposal:
        """Statements that should turn the live schema into the declared one; to be proven by the caller.

        ``copy`` is a scratch copy of the live schema to try them on. Its schema is left as it was; it may be
        given rows where the live database has some. The other two are only read. ``expected`` is what is
        aimed at: the declared schema in the words of ``copy``, with the differences that the project accepts.
        ``conversions``: of columns that are retyped, the expressions that give their values, proven on all of them.
        """

    def schema_work(self) -> SchemaWork:
        """What repairs of the schema that have a name ask of the engine."""

    def create_database(self, url: DatabaseUrl) -> None:
        """Creates the empty database that ``url`` names. Raises NotPermitted."""

    def copy_database(self, source: DatabaseUrl, copy: DatabaseUrl) -> None:
        """Creates ``copy`` beside ``source``: schema, rows and settings. Nobody may be connected to ``source``."""

    def prepare_replay(self, live: DatabaseUrl, scratch: DatabaseUrl, table: VersionTable) -> None:
        """Gives an empty scratch database what a migration of ``live`` found when it began."""

    def prepare_copy(self, live: DatabaseUrl, copy: DatabaseUrl, table: VersionTable) -> None:
        """Gives a copy of ``live`` what a migration finds there beside the schema: version rows, search_path."""

    def read_sizes(self, connection: Connection, tables: Iterable[str]) -> Mapping[str, TableSize]:
        """Estimates of tables by ``schema.name``; those that are not there, or have no size, are left out."""

    def read_extent(self, connection: Connection) -> Extent:
        """How much room the database takes, and where."""

    def measure(self, url: DatabaseUrl) -> int:
        """The bytes of the whole database; waits for nobody's locks. Raises Unreachable, or what ``errors`` lists."""

    def drop_database(self, url: DatabaseUrl) -> None:
        """Drops it, ending other sessions on it first. No error if it is gone already."""

    def list_databases(self, url: DatabaseUrl, prefix: str) -> tuple[str, ...]:
        """Names of databases beside ``url``'s that begin with ``prefix``."""

    def migration_lock(self, url: DatabaseUrl) -> MigrationLock:
        """How the connection that migrates takes the lock."""

    def session_queries(self, limits: Limits) -> tuple[str, ...]:
        """Queries that give the session that migrates its limits, and let its server notice a client that is gone."""

    def read_activity(self, connection: Connection) -> Activity:
        """What the session that holds the migration lock waits for or builds."""

    def find_uncommitted_changes(self, connection: Connection) -> tuple[OpenTransaction, ...]:
        """Transactions of others that may have changed the schema and have not ended."""

    def find_long_transactions(
        self, connection: Connection, tables: Mapping[str, bool], *, seconds: float, everywhere: bool
    ) -> tuple[OpenTransaction, ...]:
        """Those open for longer than ``seconds`` that hold what is to be locked, the oldest first.

        ``tables``: by ``schema.name``, whether readers are to be locked out, too. ``everywhere``: whatever they
        hold. Raises NotPermitted where the role may not see how old they are.
        """

    def read_replicas(self, connection: Connection) -> tuple[Replica, ...]:
        """The servers that follow this one. Raises NotPermitted where the role may not see how far they are."""

    def find_missing_rights(
        self, connection: Connection, rights: Sequence[Right]
    ) -> tuple[MissingRight, ...]:
        """Those of ``rights`` that the connection's role has not."""

    def find_migrating_session(self, connection: Connection) -> MigratingSession | None:
        """The session that holds the migration lock; None of engines whose sessions end with their process."""

    def has_session(self, connection: Connection, session: MigratingSession) -> bool:
        """Whether it is there still, and may still commit something."""

    def end_session(self, connection: Connection, session: MigratingSession) -> None:
        """Ends it, and rolls back what it has not committed. Returns at once."""

    def find_loss(self, url: DatabaseUrl, sessions: Sequence[Sequence[float]], silence: float) -> str | None:
        """Why what a client asked is not answered any more; None where the answer may come, or nobody can tell.

        ``sessions``: all that the client has on the server, each the number of its process and its age in seconds.
        ``silence``: for how many seconds nothing came.
        """

    def note_statements(self, url: DatabaseUrl) -> Mapping[str, str]:
        """What the child that migrates needs to note how far a revision came that commits midway; empty: nothing is."""

    def read_progress(self, connection: Connection, steps: Iterable[str]) -> tuple[NotedStatement, ...]:
        """What was noted of these steps (``govern.core.progress``), in order."""

    def forget_progress(self, connection: Connection, steps: Iterable[str]) -> None:
        """They were finished, or are to run from their beginning."""

    def find_leftover_indexes(
        self, connection: Connection, steps: Iterable[str]
    ) -> tuple[LeftoverIndex, ...]:
        """Invalid indexes that the steps' own interrupted builds left."""

    def drop_leftover_index(self, connection: Connection, index: LeftoverIndex) -> None:
        """Drops one of them."""

    def find_batch_leftovers(self, connection: Connection) -> tuple[BatchLeftover, ...]:
        """Tables that an interrupted batch operation left; of engines that need such operations."""

    def drop_batch_leftover(self, connection: Connection, leftover: BatchLeftover) -> None:
        """Drops one of them."""

    def find_broken_references(self, connection: Connection) -> Mapping[str, int]:
        """Rows whose parent is gone, by ``child → parent``; of engines that let that happen."""

    def hold_migration_lock(
        self, url: DatabaseUrl, *, wait_seconds: float, shared: bool = False
    ) -> AbstractContextManager[None]:
        """Holds the lock that serialises migrations, on a connection of its own, by polling.

        For what is not a migration: backups and drift checks (shared). Raises Refused after ``wait_seconds``,
        naming the holder.
        """

    def read_probed(self, connection: Connection) -> Probed | None:
        """How the running application last answered its probes; None where nobody knows, or may not say."""

    def read_row_counts(self, connection: Connection, tables: Iterable[str]) -> Mapping[str, RowCount]:
        """Rows of each table by full name, counted or estimated in well under a second; missing ones are left out."""

    def read_storage(self, connection: Connection, tables: Iterable[str]) -> Mapping[str, Storage]:
        """By full name; empty where the engine has no such thing, or a table is locked."""

    def read_load(self, connection: Connection) -> Load:
        """How busy the database is."""

    def last_validated_run(self, connection: Connection) -> Run | None:
        """The ledger's newest run that ended validated; None without one, or without a ledger."""

    def read_runs(self, connection: Connection, limit: int) -> tuple[Run, ...]:
        """The ledger, newest first; empty where there is no ledger."""

    def record_run(self, connection: Connection, run: Run) -> None:
        """Inserts the run, or replaces the one of the same id. Creates the ledger where it is missing."""
