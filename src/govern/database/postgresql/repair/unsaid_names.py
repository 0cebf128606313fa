"""Names that a snapshot leaves out where the server made them: of identity sequences and of NOT NULL constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from govern.core.snapshot import ObjectKey, join_name
from govern.database.connection import Connection

_IDENTITY_SEQUENCES = """
SELECT n.nspname, c.relname, a.attname, s.relname
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
JOIN pg_catalog.pg_class s ON s.oid = q.seqrelid
JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = d.classid AND d.deptype = 'i'
"""
_NOT_NULLS = """
SELECT n.nspname, c.relname, a.attname, k.conname
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'n' AND k.conislocal AND k.coninhcount = 0
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsaidNames:
    """By the column that they belong to."""

    identity_sequences: Mapping[ObjectKey, str] = field(default_factory=dict)
    not_nulls: Mapping[ObjectKey, str] = field(default_factory=dict)
    """From PostgreSQL 18 on."""


def read_unsaid_names(connection: Connection) -> UnsaidNames:
    return UnsaidNames(
        identity_sequences=_by_column(connection, _IDENTITY_SEQUENCES),
        not_nulls=_by_column(connection, _NOT_NULLS),
    )


def _by_column(connection: Connection, query: str) -> dict[ObjectKey, str]:
    return {
        ObjectKey("column", namespace, join_name(table, column)): str(name)
        for namespace, table, column, name in connection.rows(query)
    }
