"""How a column would be stored if nobody had said otherwise: only from PostgreSQL 16 on has ALTER a word for that."""

from __future__ import annotations

from collections.abc import Mapping

from govern.core.snapshot import ObjectKey, join_name
from govern.database.connection import Connection

# as the column's type has it; an inherited column's as its parent's
_USUAL_STORAGES = """
SELECT n.nspname, c.relname, a.attname,
  CASE usual.storage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
  SELECT above.attstorage
  FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_attribute above ON above.attrelid = i.inhparent
  WHERE a.attinhcount > 0 AND NOT a.attislocal AND i.inhrelid = a.attrelid AND above.attname = a.attname
  ORDER BY i.inhseqno LIMIT 1
) parent ON true
CROSS JOIN LATERAL (SELECT coalesce(parent.attstorage, t.typstorage) AS storage) usual
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'm')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND a.attstorage <> usual.storage
"""


def read_usual_storages(connection: Connection) -> Mapping[ObjectKey, str]:
    """Of the columns of tables and materialized views that are stored otherwise."""
    return {
        ObjectKey("column", namespace, join_name(relation, column)): str(storage)
        for namespace, relation, column, storage in connection.rows(_USUAL_STORAGES)
    }
