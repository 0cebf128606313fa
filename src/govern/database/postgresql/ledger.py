"""The ledger in a PostgreSQL database: ``govern.runs``, one row a run, the run itself as JSON.

The few columns beside it are what queries ask for. Order is the identity's, for clocks can go back.
"""

from __future__ import annotations

import json
from typing import Any

from govern.core.run import Run
from govern.database.connection import Connection
from govern.errors import NotPermitted, Refused

_CREATE = (
    "CREATE SCHEMA IF NOT EXISTS govern",
    """
    CREATE TABLE IF NOT EXISTS govern.runs (
        position bigint GENERATED ALWAYS AS IDENTITY,
        id text PRIMARY KEY,
        validated boolean NOT NULL,
        run jsonb NOT NULL
    )
    """,
    "COMMENT ON SCHEMA govern IS 'The ledger of govern: what was done to this database, by whom and when'",
)
_ROLE = "SELECT current_user"
_EXISTS = "SELECT to_regclass('govern.runs') IS NOT NULL"
_LAST_VALIDATED = "SELECT run::text FROM govern.runs WHERE validated ORDER BY position DESC LIMIT 1"
_NEWEST = "SELECT run::text FROM govern.runs ORDER BY position DESC LIMIT %s"
_RECORD = """
    INSERT INTO govern.runs (id, validated, run) VALUES (%s, %s, %s::jsonb)
    ON CONFLICT (id) DO UPDATE SET validated = excluded.validated, run = excluded.run
"""


def last_validated_run(connection: Connection) -> Run | None:
    rows = connection.rows(_LAST_VALIDATED) if _has_ledger(connection) else []
    return _run(rows[0]) if rows else None


def read_runs(connection: Connection, limit: int) -> tuple[Run, ...]:
    rows = connection.rows(_NEWEST, (limit,)) if _has_ledger(connection) else []
    return tuple(_run(row) for row in rows)


def record_run(connection: Connection, run: Run) -> None:
    """Raises NotPermitted where the role may not create the schema or write to it, Refused for a role ``govern``."""
    import psycopg

    try:
        with connection.transaction():
            if not _has_ledger(connection):
                _refuse_namesake(connection)
                for statement in _CREATE:
                    connection.execute(statement)
            connection.execute(_RECORD, (run.id, run.is_validated, json.dumps(run.to_json())))
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            "the role may not write the ledger",
            why=str(error).strip(),
            next="let the migrating role create the schema govern: GRANT CREATE ON DATABASE … TO …",
        ) from error


def _has_ledger(connection: Connection) -> bool:
    return bool(connection.value(_EXISTS))


def _refuse_namesake(connection: Connection) -> None:
    """``"$user"`` comes first in the usual search_path: that role's tables would go into the ledger's schema."""
    if connection.value(_ROLE) == "govern":
        raise Refused(
            "the migrating role is called govern, as the ledger's schema is",
            why='with "$user" in search_path every table it creates would go into that schema',
            next="migrate as a role of another name",
        )


def _run(row: tuple[Any, ...]) -> Run:
    return Run.from_json(json.loads(row[0]))
