"""The ledger in a SQLite database: the table ``govern_runs``, one row a run, the run itself as JSON."""

from __future__ import annotations

import json
from typing import Any

from govern.core.run import Run
from govern.database.connection import Connection

_CREATE = """
    CREATE TABLE IF NOT EXISTS govern_runs (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        validated INTEGER NOT NULL,
        run TEXT NOT NULL
    )
"""
_EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'govern_runs'"
_LAST_VALIDATED = "SELECT run FROM govern_runs WHERE validated ORDER BY position DESC LIMIT 1"
_NEWEST = "SELECT run FROM govern_runs ORDER BY position DESC LIMIT ?"
_RECORD = """
    INSERT INTO govern_runs (id, validated, run) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET validated = excluded.validated, run = excluded.run
"""


def last_validated_run(connection: Connection) -> Run | None:
    rows = connection.rows(_LAST_VALIDATED) if _has_ledger(connection) else []
    return _run(rows[0]) if rows else None


def read_runs(connection: Connection, limit: int) -> tuple[Run, ...]:
    rows = connection.rows(_NEWEST, (limit,)) if _has_ledger(connection) else []
    return tuple(_run(row) for row in rows)


def record_run(connection: Connection, run: Run) -> None:
    with connection.transaction():
        connection.execute(_CREATE)
        connection.execute(_RECORD, (run.id, run.is_validated, json.dumps(run.to_json())))


def _has_ledger(connection: Connection) -> bool:
    return bool(connection.value(_EXISTS))


def _run(row: tuple[Any, ...]) -> Run:
    return Run.from_json(json.loads(row[0]))
