"""The ledger in a PostgreSQL database: ``govern.runs``."""

from __future__ import annotations

from govern.core.run import Run
from govern.database import ledger
from govern.database.connection import Connection
from govern.database.ledger import LedgerStatements
from govern.errors import NotPermitted, Refused

STATEMENTS = LedgerStatements(
    exists="SELECT to_regclass('govern.runs') IS NOT NULL",
    create=(
        "CREATE SCHEMA IF NOT EXISTS govern",
        """
        CREATE TABLE govern.runs (
            position bigint GENERATED ALWAYS AS IDENTITY,
            id text PRIMARY KEY,
            validated boolean NOT NULL,
            run jsonb NOT NULL
        )
        """,
        "COMMENT ON SCHEMA govern IS 'The ledger of govern: what was done to this database, by whom and when'",
    ),
    last_validated="SELECT run::text FROM govern.runs WHERE validated ORDER BY position DESC LIMIT 1",
    newest="SELECT run::text FROM govern.runs ORDER BY position DESC LIMIT %s",
    record="""
        INSERT INTO govern.runs (id, validated, run) VALUES (%s, %s, %s::jsonb)
        ON CONFLICT (id) DO UPDATE SET validated = excluded.validated, run = excluded.run
    """,
)


def record_run(connection: Connection, run: Run) -> None:
    """Raises NotPermitted where the role may not create the schema or write to it, Refused for a role ``govern``."""
    import psycopg

    _refuse_namesake(connection)
    try:
        ledger.record_run(connection, STATEMENTS, run)
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            "the role may not write the ledger",
            why=str(error).strip(),
            next="let the migrating role create the schema govern: GRANT CREATE ON DATABASE … TO …",
        ) from error


def _refuse_namesake(connection: Connection) -> None:
    """``"$user"`` comes first in the usual search_path: that role's tables would go into the ledger's schema."""
    if connection.value("SELECT current_user") == "govern":
        raise Refused(
            "the migrating role is called govern, as the ledger's schema is",
            why='with "$user" in search_path every table it creates would go into that schema',
            next="migrate as a role of another name",
        )
