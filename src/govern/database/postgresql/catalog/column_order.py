"""The order of a table's columns: no part of a snapshot, since columns that are added later stand last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.core.snapshot import ColumnOrder
    from govern.database.connection import Connection

_QUERY = """
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY 1, 2
"""


def read_column_order(connection: Connection) -> ColumnOrder:
    """As ``SELECT *`` gives them."""
    return {(namespace, table): tuple(names) for namespace, table, names in connection.rows(_QUERY)}
