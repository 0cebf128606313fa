"""What govern asks of a database engine. A dialect's difference lives behind this protocol, nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from govern.core.changes import Change
from govern.core.contents import Contents
from govern.core.discovery import FoundDump
from govern.core.exports import BadCell, Column, StagedRow, Tables
from govern.core.plan import TableSize
from govern.core.progress import BatchLeftover, LeftoverIndex, NotedStatement
from govern.core.repair import Proposal
from govern.core.restoration import Place, TableDigest
from govern.core.retention import KeptDatabase
from govern.core.right import MissingRight, Right
from govern.core.run import Run
from govern.core.session import OpenTransaction, Replica
from govern.core.snapshot import ColumnOrder, Coverage, Snapshot
from govern.database.connection import Connection
from govern.database.encryption import NO_KEYS, Keys
from govern.database.transfer import Transfer
from govern.database.url import DatabaseUrl

Progress = Callable[[int], None]
"""Called with the bytes written so far."""

OpenConnection = Callable[[], AbstractContextManager[Connection]]
"""Opens a connection for as long as the context lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is dumped, for others to look at: every connection sees exactly that."""

    connection: Connection
    open_another: OpenConnection


Witness = Callable[[Moment], None]
"""Called with the moment that is dumped, for as long as the call lasts."""


OpenScratch = Callable[[], AbstractContextManager[DatabaseUrl]]
"""Opens a scratch database for as long as the context lasts."""


@dataclass(frozen=True, slots=True)
class VersionTable:
    """Where Alembic keeps its version rows: ``version_table`` and ``version_table_schema``."""

    name: str = "alembic_version"
    namespace: str | None = None


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


Judge = Callable[[Connection], None]
"""Reads a database that nobody writes to; raises if it is to be left as it is."""


class Replacement(Protocol):
    """A database that is made to take the place of a live one. What does not come to its end is undone."""

    @property
    def side(self) -> DatabaseUrl:
        """Empty at first, beside the live one and like it; dropped unless it takes its place."""

    @property
    def kept_as(self) -> str:
        """The name under which the live one is kept afterwards."""

    @property
    def how_to_drop(self) -> str:
        """What a person types to be rid of it."""

    @property
    def is_missing(self) -> bool:
        """Whether there is no live one."""

    @property
    def put_back(self) -> str | None:
        """The name under which an interrupted restore had left the live one; it was put back first."""

    def exchange(self, judge: Judge | None) -> None:
        """Puts ``side`` in the live one's place, which is kept.

        ``judge`` is called once nobody can write to the live database any more, and not where there is none; if it
        raises, the live one goes on as it was. Without it the live one is not read. Nobody may be connected to
        ``side``. Raises Refused or CouldNotCheck where nothing was changed, FailedMidway otherwise.
        """


class Dialect(Protocol):
    """One database engine. Methods raise Unreachable, NotPermitted or ToolMissing where that is the cause."""

    name: str
    is_server: bool
    """Whether there are roles, other sessions and replicas."""
    copies_files: bool
    """Whether a dump is the database's file, and a restore gives back its very bytes, and compares them: then nothing
    is to be gained from checksums of its tables."""
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

    def count_rows(self, connection: Connection, tables: Iterable[tuple[str, str]]) -> Mapping[str, int]:
        """Exact rows of each (namespace, table), by ``namespace.table`` (SQLite: ``table``)."""

    def run_script(self, connection: Connection, sql: str) -> None:
        """Runs a text of several statements, all or none where the engine can. Raises the driver's error."""

    def dump(
        self,
        url: DatabaseUrl,
        folder: Path,
        *,
        schema_only: bool = False,
        jobs: int = 1,
        keys: Keys = NO_KEYS,
        progress: Progress | None = None,
        witness: Witness | None = None,
    ) -> str:
        """Writes the database into ``folder`` (exists, empty); returns the tool and version that did.

        ``jobs``: how many tables at once, at most. What has rows is encrypted where ``keys`` have recipients.
        """

    def restore(
        self,
        folder: Path,
        url: DatabaseUrl,
        *,
        schema_only: bool = False,
        jobs: int = 1,
        keys: Keys = NO_KEYS,
        digests: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[str, ...]:
        """Restores a ``dump`` into an existing, empty database. Raises FailedMidway with the tool's words.

        ``digests``: the SHA-256 of the dump's files by their names, where it is known; what is restored by copying a
        file is compared with it, else with the file. ``keys`` read what is encrypted; raises NotPermitted where none
        does. With several ``jobs`` what fails leaves a part of it: such a
        database is dropped then. Returns the kinds of snapshot objects that had to be left out because the target
        lacks the roles.
        """

    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises when the database refuses a statement."""

    def propose_repair(
        self,
        live: DatabaseUrl,
        copy: DatabaseUrl,
        declared: DatabaseUrl,
        expected: Snapshot,
        table: VersionTable,
    ) -> Proposal:
        """Statements that should turn the live schema into the declared one; to be proven by the caller.

        ``copy`` is a scratch copy of the live schema to try them on. Its schema is left as it was; it may be
        given rows where the live database has some. The other two are only read. ``expected`` is what is
        aimed at: the declared schema in the words of ``copy``, with the differences that the project accepts.
        """

    def create_database(self, url: DatabaseUrl) -> None:
        """Creates the empty database that ``url`` names. Raises NotPermitted."""

    def prepare_replay(self, live: DatabaseUrl, scratch: DatabaseUrl, table: VersionTable) -> None:
        """Gives an empty scratch database what a migration of ``live`` found when it began."""

    def prepare_copy(self, live: DatabaseUrl, copy: DatabaseUrl, table: VersionTable) -> None:
        """Gives a copy of ``live`` what a migration finds there beside the schema: version rows, search_path."""

    def read_sizes(self, connection: Connection, tables: Iterable[str]) -> Mapping[str, TableSize]:
        """Estimates of tables by ``schema.name``; those that are not there, or have no size, are left out."""

    def read_extent(self, connection: Connection) -> Extent:
        """How much room the database takes, and where."""

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

    def note_statements(self) -> Mapping[str, str]:
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

    def read_tables(self, connection: Connection, table: VersionTable) -> ColumnOrder:
        """The tables that rows are kept in, and their columns; without Alembic's version table and govern's own."""

    def digest_tables(self, connection: Connection, columns: ColumnOrder) -> Mapping[Place, TableDigest]:
        """Of each table the rows, over the columns given, at one moment. Comparable within one server alone."""

    def digest_contents(
        self,
        connection: Connection,
        open_another: OpenConnection,
        table: VersionTable,
        *,
        jobs: int = 1,
        algorithm: str | None = None,
    ) -> Contents | None:
        """The rows of every table of ``read_tables``, but for what is generated, on several connections at once.

        All of them see the same moment. A transaction of ``connection`` has other settings afterwards.
        ``algorithm``: that of the digests to compare with; None: the fastest. Returns None where that algorithm is
        not known here, or the dialect copies files.
        """

    def read_row_hashes(
        self, connection: Connection, place: Place, columns: tuple[str, ...]
    ) -> Iterator[int]:
        """A number for each row over these columns, ascending."""

    def read_columns(self, connection: Connection, table: VersionTable) -> Tables:
        """The tables that rows of files can be written to, and what their columns expect."""

    def release_rows(self, connection: Connection) -> None:
        """Lets a scratch copy of a schema take rows in any order, and each as it is: no references, no triggers."""

    def stage_rows(
        self, connection: Connection, place: Place, columns: Sequence[Column], rows: Iterable[StagedRow]
    ) -> tuple[int, tuple[BadCell, ...]]:
        """Writes the rows to a table of a scratch copy, all or none; how many, and what is wrong with them.

        ``columns`` are those that rows have cells of; all others get their defaults.
        """

    def recognize_dump(self, path: Path) -> FoundDump | None:
        """A dump or database file of this engine that somebody else made; None for anything else.

        Nothing of it is executed. Raises OSError.
        """

    def restore_dump(self, dump: FoundDump, url: DatabaseUrl) -> None:
        """Restores what ``recognize_dump`` found into an existing, empty database; without owners and privileges.

        Raises Refused with the reason where that does not work.
        """

    def replacing(self, url: DatabaseUrl, *, wait_seconds: float) -> AbstractContextManager[Replacement]:
        """Makes an empty database beside the live one, and keeps migrations away from both for the whole block.

        An interrupted replacement of the same database is put back first. Raises Refused after ``wait_seconds``
        for a lock, NotPermitted for what the role lacks; then nothing was changed.
        """

    def find_kept(self, url: DatabaseUrl) -> tuple[KeptDatabase, ...]:
        """Databases that are called as restores call what they take out of use, oldest first."""

    def drop_kept(self, url: DatabaseUrl, database: KeptDatabase) -> bool:
        """Drops one of them unless somebody uses it: then False. No error if it is gone. Raises NotPermitted."""

    def transferring(
        self, live: DatabaseUrl, source: DatabaseUrl, table: VersionTable, *, read_only: bool
    ) -> AbstractContextManager[Transfer]:
        """A transaction on ``live`` that sees the rows of ``source``; committed at the end of the context.

        ``read_only``: only to look. Raises Refused, NotPermitted or CouldNotCheck for what the database refuses; then
        all was rolled back.
        """

    def last_validated_run(self, connection: Connection) -> Run | None:
        """The ledger's newest run that ended validated; None without one, or without a ledger."""

    def read_runs(self, connection: Connection, limit: int) -> tuple[Run, ...]:
        """The ledger, newest first; empty where there is no ledger."""

    def record_run(self, connection: Connection, run: Run) -> None:
        """Inserts the run, or replaces the one of the same id. Creates the ledger where it is missing."""
