"""Repairs of the schema in PostgreSQL: gentle stages, transactions that wait briefly, indexes that are broken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from govern.core.changes import Change
from govern.core.conversion import Conversion, Proof
from govern.core.identifiers import quote_place
from govern.core.schema_repair import KeptValues, Stage
from govern.core.snapshot import split_name
from govern.database.connection import Connection
from govern.database.dialect import Limits
from govern.database.postgresql import conversions, server
from govern.database.postgresql.row_repairs import SETTINGS, PostgreSQLSpelling
from govern.database.postgresql.session_limits import session_queries
from govern.database.row_spelling import RowTransaction
from govern.database.schema_work import BrokenIndex
from govern.database.url import DatabaseUrl
from govern.database.version_table import VersionTable
from govern.errors import FailedMidway, HeldUp, NotPermitted

_WORDS = r'((?:"(?:[^"]|"")+"|[\w.])+)'
_FOREIGN_KEY = re.compile(
    rf"\s*ALTER TABLE (?:ONLY )?{_WORDS} ADD CONSTRAINT {_WORDS} FOREIGN KEY\b(.*)",
    re.IGNORECASE | re.DOTALL,
)
_NOT_VALID = re.compile(r"\s+NOT VALID\s*;?\s*$", re.IGNORECASE)
_VALIDATE = re.compile(r"\s*ALTER TABLE .* VALIDATE CONSTRAINT ", re.IGNORECASE | re.DOTALL)
_INDEX = re.compile(r"(\s*CREATE (?:UNIQUE )?INDEX )(?!CONCURRENTLY)", re.IGNORECASE)
_ALONE = re.compile(r"\s*(?:DROP|REINDEX) INDEX CONCURRENTLY ", re.IGNORECASE)
_INDEX_NAME = re.compile(
    rf"\s*CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?{_WORDS} ON (?:ONLY )?{_WORDS}",
    re.IGNORECASE,
)
_REBUILT_NAME = re.compile(rf"\s*REINDEX INDEX CONCURRENTLY {_WORDS}", re.IGNORECASE)
_DROP_INDEX = re.compile(r"(\s*DROP INDEX )(?!CONCURRENTLY)(?!.*\bCASCADE\b)", re.IGNORECASE | re.DOTALL)

_WHY_VALIDATE = (
    "a foreign key is added NOT VALID first: that locks both tables for a moment alone; all rows are looked at in a "
    "second transaction, while others read and write"
)
_WHY_CONCURRENTLY = (
    "an index is built CONCURRENTLY, which no transaction allows: others read and write meanwhile; what a failure "
    "leaves of it is dropped"
)

_INDEXES = r"""
SELECT n.nspname::text, t.relname::text, m.nspname::text, c.relname::text, i.indisvalid AND i.indisready,
  c.relname ~ '_cc(new|old)[0-9]*$' AND NOT i.indisvalid, c.relkind = 'I'
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace m ON m.oid = c.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'govern', 'govern_backup')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index b WHERE b.index_relid = i.indexrelid)
ORDER BY 1, 2, 4
"""
_LOCKS = """
SELECT DISTINCT n.nspname || '.' || c.relname || ' ' ||
  upper(regexp_replace(replace(l.mode, 'Lock', ''), '([a-z])([A-Z])', '\\1 \\2', 'g'))
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_catalog.pg_backend_pid() AND c.relkind IN ('r', 'p', 'm', 'v')
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'govern', 'govern_backup')
  AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
ORDER BY 1
"""


class PostgreSQLSchemaWork:
    """See ``govern.database.schema_work.SchemaWork``."""

    def arrange(self, statements: Sequence[str]) -> tuple[Stage, ...]:
        stages: list[Stage] = []
        for statement in statements:
            for stage in _stages_of(statement):
                if stages and stage.is_transaction and not stage.why and stages[-1].is_transaction:
                    stages[-1] = Stage(
                        statements=(*stages[-1].statements, *stage.statements), why=stages[-1].why
                    )
                else:
                    stages.append(stage)
        return tuple(stages)

    def complete(self, chosen: Sequence[Change], changes: Sequence[Change]) -> tuple[Change, ...]:
        del changes
        return tuple(chosen)

    @contextmanager
    def working(
        self, url: DatabaseUrl, table: VersionTable, *, lock_timeout_seconds: float
    ) -> Iterator[RowTransaction]:
        with (
            self.working_alone(url, lock_timeout_seconds=lock_timeout_seconds) as connection,
            connection.transaction(),
        ):
            for name, value in SETTINGS.items():
                if name not in ("lock_timeout", "statement_timeout"):
                    connection.rows("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
            yield RowTransaction(connection, PostgreSQLSpelling(table))

    @contextmanager
    def working_alone(self, url: DatabaseUrl, *, lock_timeout_seconds: float) -> Iterator[Connection]:
        with server.connect(url) as connection:
            for query in session_queries(Limits(lock_timeout_seconds=lock_timeout_seconds)):
                connection.rows(query)
            with _explained(connection):
                yield connection

    def drop_leftovers(self, connection: Connection, statement: str) -> tuple[str, ...]:
        if found := _INDEX_NAME.match(statement):
            index, table = split_name(found[1])[-1], split_name(found[2])[-1]
            gone = [one for one in _read_indexes(connection) if one.name == index and one.place[1] == table]
        elif found := _REBUILT_NAME.match(statement):
            whole = split_name(found[1])[-1]
            gone = [
                one
                for one in _read_indexes(connection)
                if one.is_leftover and one.name.startswith(f"{whole}_cc")
            ]
        else:
            return ()
        dropped = []
        for one in gone:
            if not one.is_sound:
                connection.execute(one.dropping)
                dropped.append(one.name)
        return tuple(dropped)

    def find_broken_indexes(self, connection: Connection) -> tuple[BrokenIndex, ...]:
        return tuple(one.broken for one in _read_indexes(connection) if not one.is_sound)

    def find_index(self, connection: Connection, name: str) -> BrokenIndex | None:
        wanted = split_name(name)
        for one in _read_indexes(connection):
            if wanted in ((one.name,), (one.place[1], one.name), (one.namespace, one.name)):
                return one.broken
        return None

    def read_locks(self, connection: Connection) -> tuple[str, ...]:
        return tuple(text for (text,) in connection.rows(_LOCKS))

    def cast(self, column: str, was: str, to: str) -> str:
        return conversions.cast(column, was, to)

    def prove(self, url: DatabaseUrl, conversion: Conversion, key: Sequence[str], *, examples: int) -> Proof:
        return conversions.prove(url, conversion, key, examples=examples)

    def keep_values(
        self, work: RowTransaction, run: str, kept: KeptValues, converted: Sequence[Conversion]
    ) -> None:
        conversions.keep_values(work, run, kept, converted)

    def give_back(self, run: str, kept: KeptValues) -> str:
        return conversions.give_back(run, kept)

    def forget_values(self, work: RowTransaction, run: str, kept: KeptValues) -> None:
        conversions.forget_values(work, run, kept)


class _Index:
    """A row of ``_INDEXES``."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        namespace, table, self.namespace, self.name, self.is_sound, self.is_leftover, self.is_whole = row
        self.place = (namespace, table)

    @property
    def dropping(self) -> str:
        return f"DROP INDEX CONCURRENTLY IF EXISTS {quote_place((self.namespace, self.name))}"

    @property
    def broken(self) -> BrokenIndex:
        rebuilding = f"REINDEX INDEX CONCURRENTLY {quote_place((self.namespace, self.name))}"
        return BrokenIndex(
            place=self.place,
            name=self.name,
            rebuilding=self.dropping if self.is_leftover else rebuilding,
            is_leftover=self.is_leftover,
        )


def _read_indexes(connection: Connection) -> list[_Index]:
    """But for those of partitioned tables, which are nothing but their parts."""
    found = (_Index(row) for row in connection.rows(_INDEXES))
    return [one for one in found if not one.is_whole]


def _stages_of(statement: str) -> Iterator[Stage]:
    if found := _FOREIGN_KEY.match(statement):
        added = statement.rstrip().rstrip(";")
        yield Stage(statements=(added if _NOT_VALID.search(added) else f"{added} NOT VALID",))
        if not _NOT_VALID.search(added):
            validate = f"ALTER TABLE {found[1]} VALIDATE CONSTRAINT {found[2]}"
            yield Stage(statements=(validate,), why=_WHY_VALIDATE)
    elif _VALIDATE.match(statement):
        yield Stage(statements=(statement,), why=_WHY_VALIDATE)
    elif _ALONE.match(statement):
        yield Stage(statements=(statement,), is_transaction=False, why=_WHY_CONCURRENTLY)
    elif _INDEX.match(statement) or _DROP_INDEX.match(statement):
        word = _INDEX if _INDEX.match(statement) else _DROP_INDEX
        gently = word.sub(r"\1CONCURRENTLY ", statement, count=1)
        yield Stage(statements=(gently,), is_transaction=False, why=_WHY_CONCURRENTLY)
    else:
        yield Stage(statements=(statement,))


@contextmanager
def _explained(connection: Connection) -> Iterator[None]:
    """What the server says, as errors of govern; what is a transaction was rolled back."""
    driver: Any = connection.driver
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise HeldUp(
            "a table that is to be repaired is held by somebody else",
            why=error.diag.message_primary or str(error),
            next="wait for that session, or end it, and run again: govern doctor --locks",
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            "the schema could not be repaired",
            why=error.diag.message_primary or str(error),
            next="repair as the owner of the tables; what is kept needs CREATE on the database, or the schema "
            "govern_backup",
        ) from error
    except psycopg.Error as error:
        if driver.broken or error.diag.message_primary is None:
            raise
        raise FailedMidway(
            "the database says no to the repair",
            why=": ".join(filter(None, (error.diag.message_primary, error.diag.message_detail))),
            next="see to what it names, and run govern repair plan again",
            state="the statement that failed was rolled back, and what was committed before it stands",
        ) from error
