"""The ledger in a SQLite database: the table ``govern_runs``."""

from __future__ import annotations

from govern.database.ledger import LedgerStatements

STATEMENTS = LedgerStatements(
    exists="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'govern_runs'",
    is_versioned="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'govern_ledger'",
    version="SELECT max(version) FROM govern_ledger",
    steps=(
        (
            """
            CREATE TABLE govern_runs (
                position INTEGER PRIMARY KEY AUTOINCREMENT,
                id TEXT NOT NULL UNIQUE,
                validated INTEGER NOT NULL,
                run TEXT NOT NULL
            )
            """,
        ),
        ("CREATE TABLE govern_ledger (version INTEGER PRIMARY KEY)",),
    ),
    set_version="INSERT INTO govern_ledger (version) VALUES (?)",
    last_validated="SELECT run FROM govern_runs WHERE validated ORDER BY position DESC LIMIT 1",
    newest="SELECT run FROM govern_runs ORDER BY position DESC LIMIT ?",
    record="""
        INSERT INTO govern_runs (id, validated, run) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET validated = excluded.validated, run = excluded.run
    """,
)
