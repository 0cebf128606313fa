"""PostgreSQL as ``govern.database.dialect`` asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from govern.database import postgresql
from govern.database.encryption import NO_KEYS, Keys
from govern.database.postgresql import (
    activity,
    catalog,
    copies,
    fingerprint,
    locks,
    search_path,
    server,
    session_limits,
    stamps,
)
from govern.database.postgresql import watermark as watermarks
from govern.database.postgresql.parallelism import measure_database

if TYPE_CHECKING:
    from govern.core.changes import Change
    from govern.core.contents import Contents
    from govern.core.discovery import FoundDump
    from govern.core.exports import BadCell, Column, StagedRow, Tables
    from govern.core.health import Load, RowCount, Storage
    from govern.core.keys import Overlap
    from govern.core.plan import TableSize
    from govern.core.probed import Probed
    from govern.core.progress import BatchLeftover, LeftoverIndex, NotedStatement
    from govern.core.reference import NotCounted, OrphanCount, Reference
    from govern.core.repair import Proposal
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
    from govern.database.dialect import Activity, Extent, Limits, MigratingSession, MigrationLock, OpenScratch
    from govern.database.judging import Judging
    from govern.database.keeping import OpenConnection, Progress, Replacement, Witness
    from govern.database.row_spelling import RowTransaction
    from govern.database.schema_work import SchemaWork
    from govern.database.transfer import Transfer
    from govern.database.url import DatabaseUrl
    from govern.database.version_table import VersionTable


class PostgreSQL:
    """See ``govern.database.dialect.Dialect``."""

    name = "postgresql"
    is_server = True
    copies_files = False
    locks_tables = True

    def connect(self, url: DatabaseUrl, *, read_only: bool = False, repeats: bool = False) -> Connection:
        return server.connect(url, read_only=read_only, repeats=repeats)

    def exists(self, url: DatabaseUrl) -> bool:
        return server.exists(url)

    def create_database(self, url: DatabaseUrl) -> None:
        server.create_database(url)

    def copy_database(self, source: DatabaseUrl, copy: DatabaseUrl) -> None:
        copies.copy_database(source, copy)

    def prepare_replay(self, live: DatabaseUrl, scratch: DatabaseUrl, table: VersionTable) -> None:
        if live.schema is None:  # around a schema by itself everything is there already
            search_path.prepare_replay(live, scratch, table.name)

    def prepare_copy(self, live: DatabaseUrl, copy: DatabaseUrl, table: VersionTable) -> None:
        if live.schema is None:
            search_path.copy_search_path(live, copy)
        with self.connect(live, read_only=True) as source, self.connect(copy) as target:
            stamps.copy_version_rows(source, target, table)

    def read_sizes(self, connection: Connection, tables: Iterable[str]) -> Mapping[str, TableSize]:
        return postgresql.sizes.read_sizes(connection, tables)

    def read_extent(self, connection: Connection) -> Extent:
        return postgresql.sizes.read_extent(connection)

    def measure(self, url: DatabaseUrl) -> int:
        with self.connect(url, read_only=True) as connection:
            return measure_database(connection)

    def drop_database(self, url: DatabaseUrl) -> None:
        server.drop_database(url)

    def list_databases(self, url: DatabaseUrl, prefix: str) -> tuple[str, ...]:
        return server.list_databases(url, prefix)

    def read_server_version(self, connection: Connection) -> str:
        return server.read_server_version(connection)

    def read_version_rows(self, connection: Connection, table: VersionTable) -> tuple[str, ...] | None:
        return catalog.read_version_rows(connection, table)

    def find_version_tables(self, connection: Connection, table: VersionTable) -> tuple[str, ...]:
        return catalog.find_version_tables(connection, table)

    def read_snapshot(self, connection: Connection, table: VersionTable) -> Snapshot:
        return catalog.read_snapshot(connection, table)

    def read_coverage(self) -> tuple[Coverage, ...]:
        from govern.database.postgresql.catalog.coverage import read_coverage

        return read_coverage()

    def read_column_order(self, connection: Connection) -> ColumnOrder:
        return catalog.read_column_order(connection)

    def read_fingerprint(self, connection: Connection, table: VersionTable) -> str:
        return fingerprint.read_fingerprint(connection, table)

    def read_watermark(self, connection: Connection, table: VersionTable) -> str | None:
        return watermarks.read_watermark(connection, table)

    def is_untouched(self, connection: Connection, table: VersionTable, watermark: str) -> bool:
        return watermarks.is_untouched(connection, table, watermark)

    def find_equal_texts(self, changes: Sequence[Change], scratch: OpenScratch) -> tuple[Change, ...]:
        if not postgresql.canonical.has_texts(changes):
            return ()
        with scratch() as url, self.connect(url) as connection:
            return postgresql.canonical.find_equal_texts(connection, changes)

    def working_on_rows(
        self, url: DatabaseUrl, table: VersionTable, *, read_only: bool, seconds: float | None = None
    ) -> AbstractContextManager[RowTransaction]:
        return postgresql.row_repairs.working_on_rows(url, table, read_only=read_only, seconds=seconds)

    def count_rows(self, connection: Connection, tables: Iterable[tuple[str, str]]) -> Mapping[str, int]:
        return catalog.count_rows(connection, tables)

    def read_references(self, connection: Connection) -> tuple[Reference, ...]:
        return postgresql.references.read_references(connection)

    def resolve_implied(
        self, connection: Connection, implied: Sequence[Reference]
    ) -> tuple[Reference | NotCounted, ...]:
        return postgresql.references.resolve_implied(connection, implied)

    def find_orphans(
        self, connection: Connection, references: Sequence[Reference], *, examples: int, seconds: float
    ) -> Iterator[OrphanCount | NotCounted]:
        return postgresql.orphans.find_orphans(connection, references, examples=examples, seconds=seconds)

    def read_shapes(self, connection: Connection, table: VersionTable) -> Mapping[Place, TableShape]:
        return postgresql.table_shapes.read_table_shapes(connection, table)

    def measure_overlap(
        self, connection: Connection, reference: Reference, *, values: int, seconds: float
    ) -> Overlap | None:
        return postgresql.orphans.measure_overlap(connection, reference, values=values, seconds=seconds)

    def find_duplicates(
        self, connection: Connection, uniques: Sequence[Unique], *, examples: int, seconds: float
    ) -> Iterator[Duplicates | NotLookedAt]:
        return postgresql.row_checks.find_duplicates(connection, uniques, examples=examples, seconds=seconds)

    def read_sequence_positions(self, connection: Connection) -> Iterator[SequencePosition | NotLookedAt]:
        return postgresql.row_checks.read_sequence_positions(connection)

    def find_lost_promises(self, declared: Snapshot | None, live: Snapshot) -> LostPromises:
        return postgresql.promises.find_lost_promises(declared, live)

    def find_broken(
        self, connection: Connection, promises: Sequence[Promise], *, examples: int, seconds: float
    ) -> Iterator[BrokenPromise | NotLookedAt]:
        return postgresql.row_checks.find_broken(connection, promises, examples=examples, seconds=seconds)

    def ask(self, connection: Connection, query: str, *, seconds: float) -> Any:
        return postgresql.asking.ask(connection, query, seconds=seconds)

    def find_damage(self, connection: Connection, *, seconds: float) -> Iterator[Damage | NotLookedAt]:
        return postgresql.row_checks.find_damage(connection, seconds=seconds)

    def judging(self) -> Judging:
        return postgresql.judging

    def run_script(self, connection: Connection, sql: str) -> None:
        connection.execute(sql)  # a simple query of many statements is one implicit transaction

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
        return postgresql.dump.dump(
            url,
            folder,
            schema_only=schema_only,
            jobs=jobs,
            keys=keys,
            progress=progress,
            witness=witness,
        )

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
        del digests  # the archive is no copy
        return postgresql.dump.restore(folder, url, schema_only=schema_only, jobs=jobs, keys=keys)

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
        return postgresql.repair.propose_repair(
            live=live, copy=copy, declared=declared, expected=expected, table=table, conversions=conversions
        )

    def schema_work(self) -> SchemaWork:
        return postgresql.schema_repairs.PostgreSQLSchemaWork()

    def migration_lock(self, url: DatabaseUrl) -> MigrationLock:
        return locks.migration_lock(url)

    def session_queries(self, limits: Limits) -> tuple[str, ...]:
        return session_limits.session_queries(limits)

    def read_activity(self, connection: Connection) -> Activity:
        return activity.read_activity(connection)

    def find_uncommitted_changes(self, connection: Connection) -> tuple[OpenTransaction, ...]:
        return postgresql.transactions.find_uncommitted_changes(connection)

    def find_long_transactions(
        self, connection: Connection, tables: Mapping[str, bool], *, seconds: float, everywhere: bool
    ) -> tuple[OpenTransaction, ...]:
        return postgresql.transactions.find_long_transactions(
            connection, tables, seconds=seconds, everywhere=everywhere
        )

    def read_replicas(self, connection: Connection) -> tuple[Replica, ...]:
        return postgresql.replicas.read_replicas(connection)

    def find_missing_rights(
        self, connection: Connection, wanted: Sequence[Right]
    ) -> tuple[MissingRight, ...]:
        return postgresql.rights.find_missing_rights(connection, wanted)

    def find_migrating_session(self, connection: Connection) -> MigratingSession | None:
        return activity.find_migrating_session(connection)

    def has_session(self, connection: Connection, session: MigratingSession) -> bool:
        return activity.has_session(connection, session)

    def end_session(self, connection: Connection, session: MigratingSession) -> None:
        activity.end_session(connection, session)

    def find_loss(self, url: DatabaseUrl, sessions: Sequence[Sequence[float]], silence: float) -> str | None:
        return postgresql.silence.find_loss(server.read_parameters(url), sessions, silence)

    def note_statements(self, url: DatabaseUrl) -> Mapping[str, str]:
        return postgresql.progress.note_statements(url.schema)

    def read_progress(self, connection: Connection, steps: Iterable[str]) -> tuple[NotedStatement, ...]:
        return postgresql.progress.read_progress(connection, steps)

    def forget_progress(self, connection: Connection, steps: Iterable[str]) -> None:
        postgresql.progress.forget_progress(connection, steps)

    def find_leftover_indexes(
        self, connection: Connection, steps: Iterable[str]
    ) -> tuple[LeftoverIndex, ...]:
        return postgresql.progress.find_leftover_indexes(connection, steps)

    def drop_leftover_index(self, connection: Connection, index: LeftoverIndex) -> None:
        postgresql.progress.drop_leftover_index(connection, index)

    def find_batch_leftovers(self, connection: Connection) -> tuple[BatchLeftover, ...]:
        del connection
        return ()

    def drop_batch_leftover(self, connection: Connection, leftover: BatchLeftover) -> None:
        del connection, leftover

    def find_broken_references(self, connection: Connection) -> Mapping[str, int]:
        del connection
        return {}  # the server looks always

    def hold_migration_lock(
        self, url: DatabaseUrl, *, wait_seconds: float, shared: bool = False
    ) -> AbstractContextManager[None]:
        return locks.hold_migration_lock(url, wait_seconds=wait_seconds, shared=shared)

    def read_tables(self, connection: Connection, table: VersionTable) -> ColumnOrder:
        return postgresql.contents.read_tables(connection, table)

    def digest_tables(self, connection: Connection, columns: ColumnOrder) -> Mapping[Place, TableDigest]:
        return postgresql.contents.digest_tables(connection, columns)

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
        return postgresql.contents.digest_contents(
            connection, open_another, table, jobs=jobs, algorithm=algorithm, on_rows=on_rows
        )

    def read_row_hashes(
        self, connection: Connection, place: Place, columns: tuple[str, ...]
    ) -> Iterator[int]:
        return postgresql.contents.read_row_hashes(connection, place, columns)

    def read_columns(self, connection: Connection, table: VersionTable) -> Tables:
        return postgresql.staging.read_columns(connection, table)

    def release_rows(self, connection: Connection) -> None:
        postgresql.staging.release_rows(connection)

    def stage_rows(
        self, connection: Connection, place: Place, columns: Sequence[Column], rows: Iterable[StagedRow]
    ) -> tuple[int, tuple[BadCell, ...]]:
        return postgresql.staging.stage_rows(connection, place, columns, rows)

    def recognize_dump(self, path: Path) -> FoundDump | None:
        from govern.database.postgresql.dump import foreign

        kind = foreign.recognize(path)
        return foreign.describe(path, kind) if kind else None

    def restore_dump(self, dump: FoundDump, url: DatabaseUrl) -> None:
        from govern.database.postgresql.dump import adoption

        adoption.restore_foreign(dump, url)

    def replacing(self, url: DatabaseUrl, *, wait_seconds: float) -> AbstractContextManager[Replacement]:
        return postgresql.replacement.replacing(url, wait_seconds=wait_seconds)

    def find_kept(self, url: DatabaseUrl) -> tuple[KeptDatabase, ...]:
        return postgresql.kept.find_kept(url)

    def drop_kept(self, url: DatabaseUrl, database: KeptDatabase) -> bool:
        return postgresql.kept.drop_kept(url, database)

    def transferring(
        self, live: DatabaseUrl, source: DatabaseUrl, table: VersionTable, *, read_only: bool
    ) -> AbstractContextManager[Transfer]:
        return postgresql.transfer.transferring(live, source, table, read_only=read_only)

    def read_probed(self, connection: Connection) -> Probed | None:
        return postgresql.vitals.read_probed(connection)

    def read_row_counts(self, connection: Connection, tables: Iterable[str]) -> Mapping[str, RowCount]:
        return postgresql.vitals.read_row_counts(connection, tables)

    def read_storage(self, connection: Connection, tables: Iterable[str]) -> Mapping[str, Storage]:
        return postgresql.vitals.read_storage(connection, tables)

    def read_load(self, connection: Connection) -> Load:
        return postgresql.vitals.read_load(connection)

    def last_validated_run(self, connection: Connection) -> Run | None:
        return postgresql.ledger.last_validated_run(connection)

    def read_runs(self, connection: Connection, limit: int) -> tuple[Run, ...]:
        return postgresql.ledger.read_runs(connection, limit)

    def record_run(self, connection: Connection, run: Run) -> None:
        postgresql.ledger.record_run(connection, run)
