"""Rows of one database taken over into another: copied into temporary tables of that, compared and inserted there.

What is copied is text, in blocks: types keep their meaning though their oids differ, and memory stays the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.sql import SQL, Composable, Identifier

from govern.core.merging import Orphans, Staged
from govern.core.restoration import Place, name_place
from govern.core.snapshot import ColumnOrder
from govern.core.table_shape import ForeignKey, TableShape
from govern.database.connection import Connection
from govern.database.postgresql import server
from govern.database.postgresql.numbering import advance_sequences
from govern.database.postgresql.staged_rows import (
    COUNT_SAME,
    DIGEST,
    MISSING_BY_CONTENT,
    MISSING_BY_KEY,
    SURPLUS_BY_CONTENT,
    SURPLUS_BY_KEY,
    StagedRows,
    fill_in,
    list_columns,
    pair_columns,
    set_columns,
)
from govern.database.postgresql.table_shapes import read_columns, read_partitioned, read_table_shapes
from govern.database.transfer import Reference
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import CouldNotCheck, NotPermitted, Refused

_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_BEGIN_PLANNING = "BEGIN ISOLATION LEVEL REPEATABLE READ"
_BEGIN_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"
# values travel and are compared as their text, which these decide; no limit cuts the work short but that for locks
_SETTINGS = {
    "client_encoding": "UTF8",
    "row_security": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "10s",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}
# ON CONFLICT takes no table with a unique constraint that may be checked later
_HAS_LATE_UNIQUES = """
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT i.indimmediate AND n.nspname = %s AND c.relname = %s
)
"""
_EXAMPLES = 3


@contextmanager
def transferring(
    live: DatabaseUrl, source: DatabaseUrl, table: VersionTable, *, read_only: bool
) -> Iterator[_Transfer]:
    """See ``govern.database.dialect.Dialect``."""
    begin = _BEGIN_PLANNING if read_only else _BEGIN_WRITING
    with (
        server.connect(source, read_only=True) as origin,
        server.connect(live) as target,
        _explained(target),
        origin.transaction(_BEGIN_READING),
        target.transaction(begin),
    ):
        for connection in (origin, target):
            for name, value in _SETTINGS.items():
                connection.rows("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
        target.execute("SET CONSTRAINTS ALL DEFERRED")
        yield _Transfer(target, origin, table)


class _Transfer:
    """See ``govern.database.transfer.Transfer``."""

    def __init__(self, live: Connection, source: Connection, table: VersionTable) -> None:
        self.connection = live
        self._source = source
        self._table = table
        self._staged: dict[Place, StagedRows] = {}
        self._same: dict[Place, StagedRows] = {}
        self._numbers = itertools.count()
        self._partitioned = {one: read_partitioned(one, table) for one in (live, source)}

    def read_shapes(self) -> Mapping[Place, TableShape]:
        return read_table_shapes(self.connection, self._table)

    def read_source(self) -> ColumnOrder:
        return read_columns(self._source, self._table)

    def stage(
        self, place: Place, columns: tuple[str, ...], key: tuple[str, ...], *, on_demand: bool = False
    ) -> Staged:
        staged = StagedRows(self._rows_of(self.connection, place), next(self._numbers), columns, key)
        if not on_demand and (rows := self._count_if_same(place, columns)) is not None:
            self._same[place] = staged
            return Staged(in_source=rows, missing=0, same=rows, differing=0)
        missing = self._load(place, staged, "candidates" if on_demand else "missing")
        if on_demand:
            self._make("missing", staged, "SELECT * FROM {source} WITH NO DATA")
        in_source = int(self._value("SELECT count(*) FROM {source}", staged))
        present = in_source - missing
        same = int(self._value(COUNT_SAME, staged)) if key else present
        return Staged(in_source=in_source, missing=missing, same=same, differing=present - same)

    def pull_in(self, parent: Place, references: Sequence[Reference]) -> int:
        staged, moved = self._staged[parent], 0
        for child, reference in references:
            wanted = SQL("EXISTS (SELECT FROM {} AS m WHERE {})").format(
                self._staged[child].temporary("missing"),
                pair_columns("m", reference.columns, "c", reference.parent_columns),
            )
            moved += self._execute(
                "INSERT INTO {missing} SELECT c.* FROM {candidates} AS c WHERE {wanted}",
                staged,
                wanted=wanted,
            )
            self._execute("DELETE FROM {candidates} AS c WHERE {wanted}", staged, wanted=wanted)
        return moved

    def leave_out_collisions(self, place: Place, unique: tuple[str, ...]) -> int:
        staged = self._staged[place]
        return self._execute(
            "DELETE FROM {missing} AS m WHERE EXISTS (SELECT FROM {live} AS l WHERE {equal})",
            staged,
            equal=pair_columns("l", unique, "m", unique),
        )

    def find_orphans(self, place: Place, reference: ForeignKey) -> Orphans | None:
        staged = self._staged[place]
        parents = [self._rows_of(self.connection, reference.parent)]
        if reference.parent in self._staged:
            parents.append(self._staged[reference.parent].temporary("missing"))
        found = SQL("FROM {missing} AS m WHERE {conditions}").format(
            missing=staged.temporary("missing"),
            conditions=SQL(" AND ").join(
                [
                    *(SQL("m.{} IS NOT NULL").format(Identifier(name)) for name in reference.columns),
                    *(
                        SQL("NOT EXISTS (SELECT FROM {} AS p WHERE {})").format(
                            parent, pair_columns("p", reference.parent_columns, "m", reference.columns)
                        )
                        for parent in parents
                    ),
                ]
            ),
        )
        rows = int(self.connection.value(SQL("SELECT count(*) {}").format(found)))
        if not rows:
            return None
        examples = SQL("SELECT DISTINCT concat_ws(', ', {}) {} ORDER BY 1 LIMIT {}").format(
            list_columns("m", reference.columns), found, sql.Literal(_EXAMPLES)
        )
        return Orphans(
            constraint=reference.name,
            columns=reference.columns,
            parent=reference.parent,
            rows=rows,
            examples=tuple(str(text) for (text,) in self.connection.rows(examples)),
        )

    def insert(self, place: Place, *, without: tuple[str, ...] = ()) -> int:
        staged = self._staged[place]
        values = [SQL("NULL") if name in without else Identifier("m", name) for name in staged.columns]
        is_late = self.connection.value(_HAS_LATE_UNIQUES, place)
        return self._execute(
            "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {missing} AS m {if_new}",
            staged,
            table=Identifier(*place),
            values=SQL(", ").join(values),
            if_new=SQL("") if is_late else SQL("ON CONFLICT DO NOTHING"),
        )

    def fill(self, place: Place, columns: tuple[str, ...]) -> None:
        staged = self._staged[place]
        self._execute(
            "UPDATE {live} AS l SET {settings} FROM {missing} AS m WHERE {by_key_of_missing}",
            staged,
            settings=set_columns("m", columns),
            by_key_of_missing=pair_columns("l", staged.key, "m", staged.key),
        )

    def lock(self, places: Sequence[Place]) -> None:
        for place in sorted(places):
            self.connection.execute(
                SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(Identifier(*place))
            )

    def mark_removed(self, place: Place) -> int:
        if place in self._same:
            self._load(place, self._same.pop(place), "missing")
        staged = self._staged[place]
        return self._make("removed", staged, SURPLUS_BY_KEY if staged.key else SURPLUS_BY_CONTENT)

    def mark_referring(self, place: Place, reference: ForeignKey) -> int:
        staged = self._staged[place]
        return self._execute(
            "INSERT INTO {removed} SELECT {marks} FROM {live} AS l WHERE {refers} "
            "AND NOT EXISTS (SELECT FROM {removed} AS r WHERE r.{row} = l.ctid AND r.{oid} = l.tableoid)",
            staged,
            refers=self._refers_to_removed(reference),
        )

    def count_referring(self, place: Place, reference: ForeignKey) -> int:
        query = SQL("SELECT count(*) FROM {} AS l WHERE {}").format(
            self._rows_of(self.connection, place), self._refers_to_removed(reference)
        )
        return int(self.connection.value(query))

    def remove(self, place: Place) -> int:
        staged = self._staged[place]
        removed = self._execute(
            "DELETE FROM {live} AS l USING {removed} AS r WHERE r.{row} = l.ctid AND r.{oid} = l.tableoid",
            staged,
        )
        self.connection.execute(SQL("DROP TABLE {}").format(staged.temporary("missing")))
        self._find_missing(staged, "missing")
        return removed

    def overwrite(self, place: Place) -> int:
        staged = self._staged[place]
        rest = tuple(name for name in staged.columns if name not in staged.key)
        if not staged.key or not rest:
            return 0
        return self._execute(
            "UPDATE {live} AS l SET {settings} FROM {source} AS s WHERE {by_key} AND {content_l} <> {content_s}",
            staged,
            settings=set_columns("s", rest),
        )

    def advance_sequences(self, places: Sequence[Place]) -> None:
        for place in places:
            advance_sequences(self.connection, place)

    def link(self, place: Place, name: str, definition: str) -> None:
        add = SQL("ALTER TABLE {} ADD CONSTRAINT {} {}")
        known = SQL(definition.replace("{", "{{").replace("}", "}}")).format()  # as the server wrote it
        self.connection.execute(add.format(Identifier(*place), Identifier(name), known))

    def check(self) -> None:
        self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def _count_if_same(self, place: Place, columns: tuple[str, ...]) -> int | None:
        """How many rows it has, if both have the same; found out without moving one."""
        digests = {
            connection.rows(
                SQL(DIGEST).format(rows=self._rows_of(connection, place), of_t=list_columns("t", columns))
            )[0]
            for connection in (self.connection, self._source)
        }
        return int(next(iter(digests))[0]) if len(digests) == 1 else None

    def _load(self, place: Place, staged: StagedRows, name: str) -> int:
        """Fetches the source's rows, and finds those that are missing; returns how many these are."""
        self._staged[place] = staged
        self._make("source", staged, "SELECT {columns} FROM {live} AS l WITH NO DATA")
        self._copy(place, staged)
        return self._find_missing(staged, name)

    def _copy(self, place: Place, staged: StagedRows) -> None:
        columns = SQL(", ").join(map(Identifier, staged.columns))
        reading = SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(
            columns, self._rows_of(self._source, place)
        )
        writing = SQL("COPY {} ({}) FROM STDIN").format(staged.temporary("source"), columns)
        source: Any = self._source.driver
        live: Any = self.connection.driver
        with (
            _naming(place),
            source.cursor() as reader,
            live.cursor() as writer,
            reader.copy(reading) as blocks,
            writer.copy(writing) as copied,
        ):
            for block in blocks:
                copied.write(block)
        self.connection.execute(SQL("ANALYZE {}").format(staged.temporary("source")))

    def _find_missing(self, staged: StagedRows, name: str) -> int:
        return self._make(name, staged, MISSING_BY_KEY if staged.key else MISSING_BY_CONTENT)

    def _refers_to_removed(self, reference: ForeignKey) -> Composable:
        return SQL("EXISTS (SELECT FROM {} AS r WHERE {})").format(
            self._staged[reference.parent].temporary("removed"),
            pair_columns("r", reference.parent_columns, "l", reference.columns),
        )

    def _rows_of(self, connection: Connection, place: Place) -> Composable:
        is_whole = place in self._partitioned[connection]
        return SQL("{}" if is_whole else "ONLY {}").format(Identifier(*place))

    def _make(self, name: str, staged: StagedRows, query: str) -> int:
        """Makes a temporary table of a query's rows; returns how many these are."""
        made = SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS ").format(
            Identifier(f"govern_{name}_{staged.number}")
        )
        return _run(self.connection, made + fill_in(query, staged))

    def _execute(self, statement: str, staged: StagedRows, **parts: Composable) -> int:
        return _run(self.connection, fill_in(statement, staged, **parts))

    def _value(self, query: str, staged: StagedRows) -> Any:
        return self.connection.value(fill_in(query, staged))


def _run(connection: Connection, statement: Composable) -> int:
    """Runs a statement; returns how many rows it was about."""
    driver: Any = connection.driver
    with driver.cursor() as cursor:
        return int(cursor.execute(statement).rowcount)


@contextmanager
def _naming(place: Place) -> Iterator[None]:
    """A value that a column does not take, as a refusal that says which."""
    try:
        yield
    except psycopg.DataError as error:
        context = (error.diag.context or "").partition(",")[2].partition(":")[0].strip()
        raise Refused(
            f"a row of {name_place(place)} does not fit into the live table",
            why=f"{error.diag.message_primary}{f' ({context})' if context else ''}",
            next="bring both to one schema first: govern drift shows how the live one differs from its revision",
        ) from error


@contextmanager
def _explained(live: Connection) -> Iterator[None]:
    """What the server says to statements on the live database, as errors of govern; all was rolled back."""
    driver: Any = live.driver
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            "the rows could not be taken over",
            why=error.diag.message_primary or str(error),
            next="restore as the owner of the tables; temporary tables need the right TEMPORARY on the database",
        ) from error
    except psycopg.errors.LockNotAvailable as error:
        raise Refused(
            "a table that rows are to go into is held by somebody else",
            why=error.diag.message_primary or str(error),
            next="wait for that session, or end it, and run again",
        ) from error
    except psycopg.errors.DiskFull as error:
        raise CouldNotCheck(
            "the rows could not be taken over",
            why=error.diag.message_primary or str(error),
            next="free some space on the database server and run again",
        ) from error
    except psycopg.Error as error:
        if driver.broken or error.diag.message_primary is None:
            raise
        is_key = isinstance(error, psycopg.errors.UniqueViolation | psycopg.errors.ForeignKeyViolation)
        detail = f" ({error.diag.message_detail})" if is_key and error.diag.message_detail else ""
        raise Refused(
            "the live database does not take the rows",
            why=f"{error.diag.message_primary}{detail}",
            next="see to the cause and run again; what was inserted until then was rolled back",
        ) from error
