"""The ledger: one row a run, the run itself as JSON; the few columns beside it are what queries ask for.

Order is that of the rows' positions, for clocks can go back. Each dialect brings its statements.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from govern.core.run import Run
from govern.database.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStatements:
    """The ledger in one engine's SQL."""

    exists: str
    """Answers true where there is a ledger."""
    create: tuple[str, ...]
    last_validated: str
    newest: str
    """Takes a limit."""
    record: str
    """Takes id, validated and the run as JSON; inserts, or replaces the run of that id."""


def has_ledger(connection: Connection, statements: LedgerStatements) -> bool:
    return bool(connection.value(statements.exists))


def last_validated_run(connection: Connection, statements: LedgerStatements) -> Run | None:
    text = connection.value(statements.last_validated) if has_ledger(connection, statements) else None
    return Run.from_json(json.loads(text)) if text else None


def read_runs(connection: Connection, statements: LedgerStatements, limit: int) -> tuple[Run, ...]:
    rows = connection.rows(statements.newest, (limit,)) if has_ledger(connection, statements) else []
    return tuple(Run.from_json(json.loads(text)) for (text,) in rows)


def record_run(connection: Connection, statements: LedgerStatements, run: Run) -> None:
    """Creates the ledger where there is none."""
    with connection.transaction():
        if not has_ledger(connection, statements):
            for statement in statements.create:
                connection.execute(statement)
        connection.execute(statements.record, (run.id, run.is_validated, json.dumps(run.to_json())))
