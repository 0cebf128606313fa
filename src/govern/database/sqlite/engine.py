"""SQLite as ``govern.database.dialect`` asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from govern.core.changes import Change, diff
from govern.core.hazard import hazards_of_undoing
from govern.core.repair import Proposal
from govern.database import ledger as ledgers
from govern.database.dialect import Activity, Extent, Limits, MigratingSession, MigrationLock, OpenScratch
from govern.database.encryption import NO_KEYS, Keys
from govern.database.sqlite import (
    batch,
    catalog,
    contents,
    dump,
    fingerprint,
    foreign,
    judging,
    kept,
    ledger,
    locks,
    orphans,
    promises,
    repair,
    replacement,
    row_checks,
    server,
    sizes,
    staging,
    stamps,
    table_shapes,
    time_limit,
    transfer,
)

if TYPE_CHECKING:
    from govern.core.contents import Contents
    from govern.core.discovery import FoundDump
    from govern.core.exports import BadCell, Column, StagedRow, Tables
    from govern.core.health import Load, RowCount, Storage
    from govern.core.keys import Overlap
    from govern.core.plan import TableSize
    from govern.core.probed import Probed
    from govern.core.progress import BatchLeftover, LeftoverIndex, NotedStatement
    from govern.core.reference import NotCounted, OrphanCount, Reference
    from govern.core.restoration import Place, TableDigest
    from govern.core.retention import KeptDatabase
    from govern.core.right import MissingRight, Right
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
    from govern.core.run import Run
    from govern.core.session import OpenTransaction, Replica
    from govern.core.snapshot import ColumnOrder, Coverage, ObjectKey, Snapshot
    from govern.core.table_shape import TableShape
    from govern.database.connection import Connection
    from govern.database.judging import Judging
    from govern.database.keeping import OpenConnection, Progress, Replacement, Witness
    from govern.database.row_spelling import RowTransaction
    from govern.database.schema_work import SchemaWork
    from govern.database.transfer import Transfer
    from govern.database.url import DatabaseUrl
    from govern.database.version_table import VersionTable


class SQLite:
    """See ``govern.database.dialect.Dialect``."""

    name = "sqlite"
    is_server = False
    copies_files = True
    locks_tables = False

    def connect(self, url: DatabaseUrl, *, read_only: bool = False, repeats: bool = False) -> Connection:
        del repeats  # sqlite3 remembers its statements anyway
        return server.connect(url, read_only=read_only)

    def exists(self, url: DatabaseUrl) -> bool:
        return server.exists(url)

    def create_database(self, url: DatabaseUrl) -> None:
        server.create_database(url)

    def copy_database(self, source: DatabaseUrl, copy: DatabaseUrl) -> None:
        server.copy_database(source, copy)

    def prepare_replay(self, live: DatabaseUrl, scratch: DatabaseUrl, table: VersionTable) -> None:
        del live, scratch, table  # an empty file is all there is

    def prepare_copy(self, live: DatabaseUrl, copy: DatabaseUrl, table: VersionTable) -> None:
        with self.connect(live, read_only=True) as source, self.connect(copy) as target:
            stamps.copy_version_rows(source, target, table)

    def read_sizes(self, connection: Connection, tables: Iterable[str]) -> Mapping[str, TableSize]:
        del connection, tables  # a file has a size, a table in it has none
        return {}

    def read_extent(self, connection: Connection) -> Extent:
        return sizes.read_extent(connection)

    def measure(self, url: DatabaseUrl) -> int:
        return url.path.stat().st_size

    def drop_database(self, url: DatabaseUrl) -> None:
        server.drop_database(url)

    def list_databases(self, url: DatabaseUrl, prefix: str) -> tuple[str, ...]:
        return server.list_databases(url, prefix)

    def read_server_version(self, connection: Connection) -> str:
        return server.read_server_version(connection)

    def read_version_rows(self, connection: Connection, table: VersionTable) -> tuple[str, ...] | None:
        return catalog.read_version_rows(connection, table)

    def find_version_tables(self, connection: Connection, table: VersionTable) -> tuple[str, ...]:
        return () if catalog.read_version_rows(connection, table) is None else ("",)

    def read_snapshot(self, connection: Connection, table: VersionTable) -> Snapshot:
        return catalog.read_snapshot(connection, table)

    def read_coverage(self) -> tuple[Coverage, ...]:
        return catalog.COVERAGE

    def read_column_order(self, connection: Connection) -> ColumnOrder:
        return catalog.read_column_order(connection)

    def read_fingerprint(self, connection: Connection, table: VersionTable) -> str:
        return fingerprint.read_fingerprint(connection, table)

    def read_watermark(self, connection: Connection, table: VersionTable) -> str | None:
        del connection, table
        return None  # a fingerprint is as cheap

    def is_untouched(self, connection: Connection, table: VersionTable, watermark: str) -> bool:
        del connection, table, watermark
        return False

    def find_equal_texts(self, changes: Sequence[Change], scratch: OpenScratch) -> tuple[Change, ...]:
        del scratch  # the texts are the author's own, and a copy has the same ones
        return catalog.find_equal_defaults(changes)

    def working_on_rows(
        self, url: DatabaseUrl, table: VersionTable, *, read_only: bool, seconds: float | None = None
    ) -> AbstractContextManager[RowTransaction]:
        from govern.database.sqlite import row_repairs

        return row_repairs.working_on_rows(url, table, read_only=read_only, seconds=seconds)

    def count_rows(self, connection: Connection, tables: Iterable[tuple[str, str]]) -> Mapping[str, int]:
        return catalog.count_rows(connection, tables)

    def read_references(self, connection: Connection) -> tuple[Reference, ...]:
        return orphans.read_references(connection)

    def resolve_implied(
        self, connection: Connection, implied: Sequence[Reference]
    ) -> tuple[Reference | NotCounted, ...]:
        return orphans.resolve_implied(connection, implied)

    def find_orphans(
        self, connection: Connection, references: Sequence[Reference], *, examples: int, seconds: float
    ) -> Iterator[OrphanCount | NotCounted]:
        return orphans.find_orphans(connection, references, examples=examples, seconds=seconds)

    def read_shapes(self, connection: Connection, table: VersionTable) -> Mapping[Place, TableShape]:
        return table_shapes.read_table_shapes(connection, table)

    def measure_overlap(
        self, connection: Connection, reference: Reference, *, values: int, seconds: float
    ) -> Overlap | None:
        return orphans.measure_overlap(connection, reference, values=values, seconds=seconds)

    def find_duplicates(
        self, connection: Connection, uniques: Sequence[Unique], *, examples: int, seconds: float
    ) -> Iterator[Duplicates | NotLookedAt]:
        return row_checks.find_duplicates(connection, uniques, examples=examples, seconds=seconds)

    def read_sequence_positions(self, connection: Connection) -> Iterator[SequencePosition | NotLookedAt]:
        del connection  # a rowid is larger than every other by itself
        return iter(())

    def find_lost_promises(self, declared: Snapshot | None, live: Snapshot) -> LostPromises:
        return promises.find_lost_promises(declared, live)

    def find_broken(
        self, connection: Connection, promises: Sequence[Promise], *, examples: int, seconds: float
    ) -> Iterator[BrokenPromise | NotLookedAt]:
        return row_checks.find_broken(connection, promises, examples=examples, seconds=seconds)

    def ask(self, connection: Connection, query: str, *, seconds: float) -> Any:
        with time_limit.within(connection, seconds):
            return connection.value(query)

    def find_damage(self, connection: Connection, *, seconds: float) -> Iterator[Damage | NotLookedAt]:
        return row_checks.find_damage(connection, seconds=seconds)

    def judging(self) -> Judging:
        return judging

    def run_script(self, connection: Connection, sql: str) -> None:
        server.run_script(connection, sql)

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
        del jobs  # it is one file
        return dump.dump(url, folder, schema_only=schema_only, keys=keys, progress=progress, witness=witness)

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
        del jobs
        sha256 = digests.get(dump.DATABASE)
        return dump.restore(folder, url, schema_only=schema_only, keys=keys, sha256=sha256)

    def errors(self) -> tuple[type[Exception], ...]:
        return server.errors()

    def propose_repair(
        self,
        live: DatabaseUrl,
        copy: DatabaseUrl,
        declared: DatabaseUrl,
        expected: Snapshot,
        table: VersionTable,
        conversions: Mapping[ObjectKey, str] = MappingProxyType({}),
    ) -> Proposal:
        del live  # the copy has all that is needed of it
        with self.connect(copy, read_only=True) as existing, self.connect(declared, read_only=True) as wanted:
            changes = diff(expected, self.read_snapshot(existing, table))
            steps = repair.propose_steps(existing, wanted, changes, expected, table, conversions)
        return Proposal(steps=steps, hazards=hazards_of_undoing(changes))

    def schema_work(self) -> SchemaWork:
        from govern.database.sqlite import schema_repairs

        return schema_repairs.SQLiteSchemaWork()

    def migration_lock(self, url: DatabaseUrl) -> MigrationLock:
        return locks.migration_lock(url)

    def session_queries(self, limits: Limits) -> tuple[str, ...]:
        del limits
        return ()  # who writes holds the whole file, and sqlite3 waits for it

    def read_activity(self, connection: Connection) -> Activity:
        del connection
        return Activity()

    def find_uncommitted_changes(self, connection: Connection) -> tuple[OpenTransaction, ...]:
        del connection
        return ()  # who changes the schema holds the whole file

    def find_long_transactions(
        self, connection: Connection, tables: Mapping[str, bool], *, seconds: float, everywhere: bool
    ) -> tuple[OpenTransaction, ...]:
        del connection, tables, seconds, everywhere
        return ()

    def read_replicas(self, connection: Connection) -> tuple[Replica, ...]:
        del connection
        return ()

    def find_missing_rights(
        self, connection: Connection, rights: Sequence[Right]
    ) -> tuple[MissingRight, ...]:
        del connection, rights
        return ()  # who may write the file may do everything

    def find_migrating_session(self, connection: Connection) -> MigratingSession | None:
        del connection
        return None  # what a process has not committed ends with it

    def has_session(self, connection: Connection, session: MigratingSession) -> bool:
        del connection, session
        return False

    def end_session(self, connection: Connection, session: MigratingSession) -> None:
        del connection, session

    def find_loss(self, url: DatabaseUrl, sessions: Sequence[Sequence[float]], silence: float) -> str | None:
        del url, sessions, silence
        return None  # nothing lies between

    def note_statements(self, url: DatabaseUrl) -> Mapping[str, str]:
        del url
        return {}

    def read_progress(self, connection: Connection, steps: Iterable[str]) -> tuple[NotedStatement, ...]:
        del connection, steps
        return ()

    def forget_progress(self, connection: Connection, steps: Iterable[str]) -> None:
        del connection, steps

    def find_leftover_indexes(
        self, connection: Connection, steps: Iterable[str]
    ) -> tuple[LeftoverIndex, ...]:
        del connection, steps
        return ()  # none is ever invalid

    def drop_leftover_index(self, connection: Connection, index: LeftoverIndex) -> None:
        del connection, index

    def find_batch_leftovers(self, connection: Connection) -> tuple[BatchLeftover, ...]:
        return batch.find_batch_leftovers(connection)

    def drop_batch_leftover(self, connection: Connection, leftover: BatchLeftover) -> None:
        batch.drop_batch_leftover(connection, leftover)

    def find_broken_references(self, connection: Connection) -> Mapping[str, int]:
        return batch.find_broken_references(connection)

    def hold_migration_lock(
        self, url: DatabaseUrl, *, wait_seconds: float, shared: bool = False
    ) -> AbstractContextManager[None]:
        return locks.hold_migration_lock(url, wait_seconds=wait_seconds, shared=shared)

    def read_tables(self, connection: Connection, table: VersionTable) -> ColumnOrder:
        return contents.read_tables(connection, table)

    def digest_tables(self, connection: Connection, columns: ColumnOrder) -> Mapping[Place, TableDigest]:
        return contents.digest_tables(connection, columns)

    def digest_contents(
        self,
        connection: Connection,
        open_another: OpenConnection,
        table: VersionTable,
        *,
        jobs: int = 1,
        algorithm: str | None = None,
        on_rows: Callable[[int], None] = lambda _: None,
    ) -> Contents | None:
        del connection, open_another, table, jobs, algorithm, on_rows
        return None  # the file itself is compared: its rows would have to come to Python, one by one

    def read_row_hashes(
        self, connection: Connection, place: Place, columns: tuple[str, ...]
    ) -> Iterator[int]:
        return contents.read_row_hashes(connection, place, columns)

    def read_columns(self, connection: Connection, table: VersionTable) -> Tables:
        return staging.read_columns(connection, table)

    def release_rows(self, connection: Connection) -> None:
        staging.release_rows(connection)

    def stage_rows(
        self, connection: Connection, place: Place, columns: Sequence[Column], rows: Iterable[StagedRow]
    ) -> tuple[int, tuple[BadCell, ...]]:
        return staging.stage_rows(connection, place, columns, rows)

    def recognize_dump(self, path: Path) -> FoundDump | None:
        kind = foreign.recognize(path)
        return foreign.describe(path) if kind else None

    def restore_dump(self, dump: FoundDump, url: DatabaseUrl) -> None:
        foreign.restore(dump.path, url)

    def replacing(self, url: DatabaseUrl, *, wait_seconds: float) -> AbstractContextManager[Replacement]:
        return replacement.replacing(url, wait_seconds=wait_seconds)

    def find_kept(self, url: DatabaseUrl) -> tuple[KeptDatabase, ...]:
        return kept.find_kept(url)

    def drop_kept(self, url: DatabaseUrl, database: KeptDatabase) -> bool:
        return kept.drop_kept(url, database)

    def transferring(
        self, live: DatabaseUrl, source: DatabaseUrl, table: VersionTable, *, read_only: bool
    ) -> AbstractContextManager[Transfer]:
        return transfer.transferring(live, source, table, read_only=read_only)

    def read_probed(self, connection: Connection) -> Probed | None:
        from govern.database.sqlite import vitals

        return vitals.read_probed(connection)

    def read_row_counts(self, connection: Connection, tables: Iterable[str]) -> Mapping[str, RowCount]:
        from govern.database.sqlite import vitals

        return vitals.read_row_counts(connection, tables)

    def read_storage(self, connection: Connection, tables: Iterable[str]) -> Mapping[str, Storage]:
        from govern.database.sqlite import vitals

        return vitals.read_storage(connection, tables)

    def read_load(self, connection: Connection) -> Load:
        from govern.database.sqlite import vitals

        return vitals.read_load(connection)

    def last_validated_run(self, connection: Connection) -> Run | None:
        return ledgers.last_validated_run(connection, ledger.STATEMENTS)

    def read_runs(self, connection: Connection, limit: int) -> tuple[Run, ...]:
        return ledgers.read_runs(connection, ledger.STATEMENTS, limit)

    def record_run(self, connection: Connection, run: Run) -> None:
        with server.explaining_locks(connection):
            ledgers.record_run(connection, ledger.STATEMENTS, run)
