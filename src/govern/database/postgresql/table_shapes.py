"""Tables as rows see them: what takes values, what tells rows apart, what they refer to. Reads the catalog alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govern.core.restoration import Place
from govern.core.snapshot import ColumnOrder
from govern.core.table_shape import ForeignKey, TableShape
from govern.database.connection import Connection
from govern.database.version_table import VersionTable

# a partitioned table stands for its partitions; an extension's own tables come with the extension
_WHICH = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind = 'p'
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'govern', 'govern_backup')
  AND (c.relname <> %s OR n.nspname <> coalesce(%s, n.nspname))
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY 2, 3
"""
_COLUMNS = """
SELECT a.attrelid::bigint, a.attname::text, a.attgenerated = '',
  NOT (a.attnotnull OR t.typnotnull),
  a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY (%s::bigint[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
# a partial index, and one of expressions, does not tell any two rows apart
_UNIQUES = """
SELECT i.indrelid::bigint, array(
  SELECT a.attname::text
  FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k(number, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
  WHERE k.position <= i.indnkeyatts ORDER BY k.position
)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY (%s::bigint[]) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
  AND i.indexprs IS NULL
ORDER BY i.indrelid, NOT i.indisprimary, c.relname
"""
# of a reference to a partitioned table there is one more for each partition
_FOREIGN_KEYS = """
SELECT c.conrelid::bigint, c.conname::text, n.nspname::text, p.relname::text, c.condeferrable,
  array(SELECT a.attname::text FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY k(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number ORDER BY k.position),
  array(SELECT a.attname::text FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY k(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number ORDER BY k.position)
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class p ON p.oid = c.confrelid JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
WHERE c.contype = 'f' AND c.conparentid = 0 AND c.conrelid = ANY (%s::bigint[])
  AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)
ORDER BY 1, 2
"""
_TRIGGERS = """
SELECT t.tgrelid::bigint, t.tgname::text FROM pg_catalog.pg_trigger t
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgrelid = ANY (%s::bigint[])
ORDER BY 1, 2
"""

Rows = list[tuple[Any, ...]]


def read_table_shapes(connection: Connection, table: VersionTable) -> Mapping[Place, TableShape]:
    """All tables but Alembic's version ``table`` and govern's own; of partitions the whole."""
    places = _read_places(connection, table)
    oids = list(places)
    columns, uniques, foreign_keys, triggers = (
        _by_table(connection.rows(query, (oids,))) for query in (_COLUMNS, _UNIQUES, _FOREIGN_KEYS, _TRIGGERS)
    )
    return {
        place: _shape(
            place,
            columns.get(oid, []),
            uniques.get(oid, []),
            foreign_keys.get(oid, []),
            triggers.get(oid, []),
        )
        for oid, place in places.items()
    }


def read_columns(connection: Connection, table: VersionTable) -> ColumnOrder:
    """The same tables' columns, generated ones left out."""
    places = _read_places(connection, table)
    columns = _by_table(connection.rows(_COLUMNS, (list(places),)))
    return {
        place: tuple(name for name, is_written, *_ in columns.get(oid, []) if is_written)
        for oid, place in places.items()
    }


def read_partitioned(connection: Connection, table: VersionTable) -> frozenset[Place]:
    """Those whose rows are kept in partitions."""
    rows = connection.rows(_WHICH, (table.name, table.namespace))
    return frozenset((namespace, name) for _, namespace, name, is_partitioned in rows if is_partitioned)


def _read_places(connection: Connection, table: VersionTable) -> dict[int, Place]:
    rows = connection.rows(_WHICH, (table.name, table.namespace))
    return {oid: (namespace, name) for oid, namespace, name, _ in rows}


def _by_table(rows: Rows) -> dict[int, Rows]:
    grouped: dict[int, Rows] = {}
    for oid, *facts in rows:
        grouped.setdefault(oid, []).append(tuple(facts))
    return grouped


def _shape(place: Place, columns: Rows, uniques: Rows, foreign_keys: Rows, triggers: Rows) -> TableShape:
    nullable = frozenset(name for name, _, is_nullable, _ in columns if is_nullable)
    named = tuple(tuple(names) for (names,) in uniques)
    return TableShape(
        place=place,
        columns=tuple(name for name, is_written, *_ in columns if is_written),
        required=frozenset(
            name
            for name, is_written, is_nullable, has_default in columns
            if is_written and not is_nullable and not has_default
        ),
        nullable=nullable,
        keys=tuple(names for names in named if nullable.isdisjoint(names)),
        uniques=named,
        foreign_keys=tuple(
            ForeignKey(
                name=name,
                columns=tuple(own),
                parent=(namespace, parent),
                parent_columns=tuple(others),
                is_deferrable=is_deferrable,
            )
            for name, namespace, parent, is_deferrable, own, others in foreign_keys
        ),
        triggers=tuple(name for (name,) in triggers),
    )
