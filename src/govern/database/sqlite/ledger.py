"""The ledger in a SQLite database: the table ``govern_runs``."""

from __future__ import annotations

from govern.database.ledger import LedgerStatements

STATEMENTS = LedgerStatements(
    exists="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'govern_runs'",
    create=(
        """
        CREATE TABLE govern_runs (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            validated INTEGER NOT NULL,
            run TEXT NOT NULL
        )
        """,
    ),
    last_validated="SELECT run FROM govern_runs WHERE validated ORDER BY position DESC LIMIT 1",
    newest="SELECT run FROM govern_runs ORDER BY position DESC LIMIT ?",
    record="""
        INSERT INTO govern_runs (id, validated, run) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET validated = excluded.validated, run = excluded.run
    """,
)
