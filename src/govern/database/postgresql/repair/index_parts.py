"""Which index of a partition is a part of which partitioned index. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from govern.core.snapshot import ObjectKey, join_name
from govern.database.connection import Connection

_PARTS = """
SELECT own.*, x.indisvalid, parent_schema.nspname, parent.relname, root.*
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_index x ON x.indexrelid = h.inhrelid
JOIN pg_catalog.pg_class parent ON parent.oid = h.inhparent
JOIN pg_catalog.pg_namespace parent_schema ON parent_schema.oid = parent.relnamespace
CROSS JOIN LATERAL ({named}) own
CROSS JOIN LATERAL ({root}) root
"""
_NAMED = """
  SELECT CASE WHEN k.oid IS NULL THEN 'index' ELSE 'constraint' END, n.nspname, t.relname, i.relname
  FROM pg_catalog.pg_index y
  JOIN pg_catalog.pg_class i ON i.oid = y.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = y.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.oid AND k.contype IN ('p', 'u', 'x')
  WHERE i.oid = {oid}
"""
_QUERY = _PARTS.format(
    named=_NAMED.format(oid="h.inhrelid"),
    root=_NAMED.format(oid="pg_catalog.pg_partition_root(h.inhrelid)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPart:
    """What an index or key of a partition belongs to."""

    whole: ObjectKey
    """The uppermost partitioned index or key."""
    parent: tuple[str, str]
    """The namespace and name of the index right above: the whole itself, or a part of it."""
    is_valid: bool


IndexParts = Mapping[ObjectKey, IndexPart]
"""By the part, also those that a snapshot does not name."""


def read_index_parts(connection: Connection) -> IndexParts:
    return {
        _key(*row[:4]): IndexPart(is_valid=row[4], parent=(row[5], row[6]), whole=_key(*row[7:]))
        for row in connection.rows(_QUERY)
    }


def _key(kind: str, namespace: str, table: str, name: str) -> ObjectKey:
    return ObjectKey(kind, namespace, join_name(table, name))
