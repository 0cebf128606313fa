"""The ledger in a PostgreSQL database: ``govern.runs``; that of one schema is in a schema beside it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from govern.database import ledger
from govern.database.ledger import LedgerStatements
from govern.database.postgresql import progress
from govern.database.postgresql.ledger_name import in_ledger
from govern.errors import NotPermitted, Refused

if TYPE_CHECKING:
    from govern.core.run import Run
    from govern.database.connection import Connection

# only where it is not there: IF NOT EXISTS asks for the right to create it all the same
_CREATE_SCHEMA = (
    "CREATE SCHEMA IF NOT EXISTS {ledger}",
    "COMMENT ON SCHEMA {ledger} IS 'The ledger of govern: what was done to this database, by whom and when'",
)
_HAS_SCHEMA = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = '{name}')"
_STATEMENTS = LedgerStatements(
    exists="SELECT to_regclass('{ledger}.runs') IS NOT NULL",
    is_versioned="SELECT to_regclass('{ledger}.ledger') IS NOT NULL",
    version="SELECT max(version) FROM {ledger}.ledger",
    steps=(
        (
            """
            CREATE TABLE {ledger}.runs (
                position bigint GENERATED ALWAYS AS IDENTITY,
                id text PRIMARY KEY,
                validated boolean NOT NULL,
                run jsonb NOT NULL
            )
            """,
        ),
        (
            progress.CREATE,
            "CREATE TABLE {ledger}.ledger (version integer PRIMARY KEY)",
        ),
    ),
    set_version="INSERT INTO {ledger}.ledger (version) VALUES (%s)",
    last_validated="SELECT run::text FROM {ledger}.runs WHERE validated ORDER BY position DESC LIMIT 1",
    newest="SELECT run::text FROM {ledger}.runs ORDER BY position DESC LIMIT %s",
    record="""
        INSERT INTO {ledger}.runs (id, validated, run) VALUES (%s, %s, %s::jsonb)
        ON CONFLICT (id) DO UPDATE SET validated = excluded.validated, run = excluded.run
    """,
)


@functools.lru_cache(maxsize=256)
def _statements(schema: str | None) -> LedgerStatements:
    """Those of the ledger that ``schema`` has."""
    there = partial(in_ledger, schema=schema)
    return replace(
        _STATEMENTS,
        exists=there(_STATEMENTS.exists),
        is_versioned=there(_STATEMENTS.is_versioned),
        version=there(_STATEMENTS.version),
        steps=tuple(tuple(there(statement) for statement in step) for step in _STATEMENTS.steps),
        set_version=there(_STATEMENTS.set_version),
        last_validated=there(_STATEMENTS.last_validated),
        newest=there(_STATEMENTS.newest),
        record=there(_STATEMENTS.record),
    )


def last_validated_run(connection: Connection) -> Run | None:
    with _permitted("read", _LET_READ, connection):
        return ledger.last_validated_run(connection, _statements(connection.schema))


def read_runs(connection: Connection, limit: int) -> tuple[Run, ...]:
    with _permitted("read", _LET_READ, connection):
        return ledger.read_runs(connection, _statements(connection.schema), limit)


def record_run(connection: Connection, run: Run) -> None:
    """Raises NotPermitted where the role may not create the schema or write to it, Refused for a role ``govern``."""
    _refuse_namesake(connection)
    with _permitted("write", _LET_WRITE, connection), connection.transaction():
        if not connection.value(in_ledger(_HAS_SCHEMA, connection.schema)):
            for statement in _CREATE_SCHEMA:
                connection.execute(in_ledger(statement, connection.schema))
        ledger.record_run(connection, _statements(connection.schema), run)


_LET_READ = "GRANT USAGE ON SCHEMA {ledger} TO …; GRANT SELECT ON {ledger}.runs TO …"
_LET_WRITE = (
    "let the migrating role create the schema {name}: GRANT CREATE ON DATABASE … TO …; "
    "or make it: CREATE SCHEMA {ledger} AUTHORIZATION …"
)


@contextmanager
def _permitted(verb: str, remedy: str, connection: Connection) -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            f"the role may not {verb} the ledger",
            why=str(error).strip(),
            next=in_ledger(remedy, connection.schema),
        ) from error


def _refuse_namesake(connection: Connection) -> None:
    """``"$user"`` comes first in the usual search_path: that role's tables would go into the ledger's schema."""
    if connection.value("SELECT current_user") == "govern":
        raise Refused(
            "the migrating role is called govern, as the ledger's schema is",
            why='with "$user" in search_path every table it creates would go into that schema',
            next="migrate as a role of another name",
        )
