"""Alembic's batch mode, which rebuilds a table under another name: what an interrupted one leaves, and loses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govern.core.progress import BatchLeftover

if TYPE_CHECKING:
    from govern.database.connection import Connection

_LEFTOVERS = """
SELECT t.name, o.name IS NOT NULL FROM sqlite_master t
LEFT JOIN sqlite_master o ON o.type = 'table' AND o.name = substr(t.name, length('_alembic_tmp_') + 1)
WHERE t.type = 'table' AND t.name LIKE '\\_alembic\\_tmp\\_%' ESCAPE '\\' ORDER BY 1
"""
_BROKEN_REFERENCES = (
    'SELECT "table", "parent", count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2'
)


def find_batch_leftovers(connection: Connection) -> tuple[BatchLeftover, ...]:
    return tuple(BatchLeftover(name, bool(is_copy)) for name, is_copy in connection.rows(_LEFTOVERS))


def drop_batch_leftover(connection: Connection, leftover: BatchLeftover) -> None:
    name = leftover.table.replace('"', '""')
    connection.execute(f'DROP TABLE "{name}"')


def find_broken_references(connection: Connection) -> dict[str, int]:
    """Rows whose parent is gone, by ``child → parent``: SQLite does not look while foreign keys are off."""
    return {f"{child} → {parent}": int(rows) for child, parent, rows in connection.rows(_BROKEN_REFERENCES)}
