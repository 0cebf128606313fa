"""The order of a table's columns: no part of a snapshot, since columns that are added later stand last."""

from __future__ import annotations

from govern.core.snapshot import ColumnOrder
from govern.database.connection import Connection

_QUERY = """
SELECT t.name, c.name
FROM sqlite_master t JOIN pragma_table_xinfo(t.name) c
WHERE t.type = 'table' AND c.hidden <> 1
ORDER BY t.name, c.cid
"""


def read_column_order(connection: Connection) -> ColumnOrder:
    """As ``SELECT *`` gives them."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for table, column in connection.rows(_QUERY):
        found["", table] = (*found.get(("", table), ()), column)
    return found
