"""The ledger: one row a run, the run itself as JSON; the few columns beside it are what queries ask for.

Order is that of the rows' positions, for clocks can go back. Each dialect brings its statements. A ledger has a
version and is brought up to date where it stands; one without a version table is of the first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from govern.core.run import Run
from govern.errors import Refused

if TYPE_CHECKING:
    from govern.database.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStatements:
    """The ledger in one engine's SQL."""

    exists: str
    """Answers true where there is a ledger."""
    is_versioned: str
    """Answers true where it has a version table."""
    version: str
    steps: tuple[tuple[str, ...], ...]
    """The statements that lead from each version to the next; the first create it. Never changed, only added to."""
    set_version: str
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
    """Creates the ledger where there is none, and brings an older one up to date. Raises Refused for a newer one."""
    with connection.transaction():
        _bring_up_to_date(connection, statements)
        connection.execute(statements.record, (run.id, run.is_validated, json.dumps(run.to_json())))


def _bring_up_to_date(connection: Connection, statements: LedgerStatements) -> None:
    version, newest = _read_version(connection, statements), len(statements.steps)
    if version > newest:
        raise Refused(
            "the ledger was written by a newer govern",
            why=f"it is of version {version}, this program knows {newest}",
            next="use the newer govern: pip install --upgrade govern",
        )
    for step in statements.steps[version:]:
        for statement in step:
            connection.execute(statement)
    if version < newest:
        connection.execute(statements.set_version, (newest,))


def _read_version(connection: Connection, statements: LedgerStatements) -> int:
    if not has_ledger(connection, statements):
        return 0
    return int(connection.value(statements.version)) if connection.value(statements.is_versioned) else 1
