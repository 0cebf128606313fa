"""References of a PostgreSQL database: its foreign keys, and what the catalog knows of the manifest's relationships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from govern.core.reference import NotCounted, Reference
from govern.database.postgresql.own_schema import find_namespace, name_namespace

if TYPE_CHECKING:
    from govern.core.restoration import Place
    from govern.database.connection import Connection

# an estimate, without the size of the file, which would wait for a lock; NULL of a table that was never analysed
_ROWS = """
CASE WHEN {0}.relkind = 'p' THEN (
  WITH RECURSIVE tree AS (
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = {0}.oid
    UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.inhrelid
  )
  SELECT sum(greatest(l.reltuples, 0)) FROM tree JOIN pg_catalog.pg_class l ON l.oid = tree.inhrelid
  WHERE l.relkind <> 'p' AND l.relpages > 0
) WHEN {0}.reltuples > 0 OR {0}.relpages > 0 THEN greatest({0}.reltuples, 0) END::bigint
"""
# of a partitioned table's foreign key there is one more for each partition
_REFERENCES = f"""
SELECT k.conname::text, cn.nspname::text, c.relname::text, pn.nspname::text, p.relname::text,
  array(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY n(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number ORDER BY n.position),
  array(SELECT a.attname::text FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY n(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.number ORDER BY n.position),
  CASE WHEN NOT coalesce((k.more ->> 'conenforced')::boolean, true) THEN 'it is NOT ENFORCED'
       WHEN NOT k.convalidated THEN 'it is NOT VALID'
       WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled IN ('D', 'R'))
       THEN 'its triggers are disabled' END,
  k.confmatchtype = 'f',
  coalesce((k.more ->> 'conperiod')::boolean, false),
  c.relkind <> 'p' AND c.relhassubclass, p.relkind <> 'p' AND p.relhassubclass,
  EXISTS (
    SELECT FROM pg_catalog.pg_index i
    WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
      AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
      AND i.indnkeyatts >= cardinality(k.conkey)
  ),
  {_ROWS.format("c")}, {_ROWS.format("p")},
  cardinality(k.conkey) = 1 AND EXISTS (
    SELECT FROM pg_catalog.pg_attribute a, pg_catalog.pg_attribute b
    WHERE a.attrelid = k.conrelid AND a.attnum = k.conkey[1] AND a.attcollation = 0
      AND b.attrelid = k.confrelid AND b.attnum = k.confkey[1] AND b.atttypid = a.atttypid
  ),
  CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default'
    WHEN 'r' THEN 'restrict' ELSE 'no action' END,
  array(SELECT a.attname::text FROM pg_catalog.jsonb_array_elements_text(
          coalesce(nullif(k.more -> 'confdelsetcols', 'null'), to_jsonb(k.conkey))) n(number)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number::int2
        WHERE k.confdeltype = 'n' ORDER BY a.attnum)
FROM (SELECT k.*, to_jsonb(k) AS more FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' OFFSET 0) k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.conparentid = 0 AND cn.nspname NOT IN ('govern', 'govern_backup', 'pg_catalog')
  AND (%s::text IS NULL OR cn.nspname = %s)
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY 2, 3, 1
"""  # noqa: S608 - constants alone
_COLUMNS = f"""
SELECT n.nspname::text, c.relname::text, a.attname::text, a.atttypid::bigint, a.attcollation::bigint,
  {_ROWS.format("c")}
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) AS wanted (namespace, name)
  ON n.nspname = wanted.namespace AND c.relname = wanted.name
WHERE a.attnum > 0 AND NOT a.attisdropped
"""  # noqa: S608 - constants alone


def read_references(connection: Connection) -> tuple[Reference, ...]:
    """Every declared foreign key, whether the server upholds it or not; of a partitioned table the whole's.

    Of one schema by itself those of its tables, which are then called without it.
    """
    home = connection.schema
    return tuple(
        Reference(
            name=name,
            child=(child := (name_namespace(namespace, home), table)),
            columns=tuple(columns),
            parent=(parent := (name_namespace(parent_namespace, home), parent_table)),
            parent_columns=tuple(parent_columns),
            doubt=doubt,
            is_match_full=is_match_full,
            is_temporal=is_temporal,
            alone=frozenset(
                place
                for place, is_alone in (
                    (child, is_child_alone),
                    (parent, is_parent_alone),
                )
                if is_alone
            ),
            is_indexed=is_indexed and not is_temporal,
            child_rows=rows,
            parent_rows=parent_rows,
            has_same_order=has_same_order and not is_temporal,
            on_delete=on_delete,
            set_null=tuple(set_null),
        )
        for (
            name,
            namespace,
            table,
            parent_namespace,
            parent_table,
            columns,
            parent_columns,
            doubt,
            is_match_full,
            is_temporal,
            is_child_alone,
            is_parent_alone,
            is_indexed,
            rows,
            parent_rows,
            has_same_order,
            on_delete,
            set_null,
        ) in connection.rows(_REFERENCES, (home, home))
    )


def resolve_implied(
    connection: Connection, implied: Sequence[Reference]
) -> tuple[Reference | NotCounted, ...]:
    """The same references with what the catalog knows of their columns' types and the tables' sizes."""
    places = sorted({place for one in implied for place in (one.child, one.parent)})
    home = connection.schema
    namespaces = [find_namespace(one, home) for one, _ in places]
    rows = [
        (name_namespace(namespace, home), *rest)
        for namespace, *rest in connection.rows(_COLUMNS, (namespaces, [name for _, name in places]))
    ]
    types = {
        (namespace, table, column): (kind, collation) for namespace, table, column, kind, collation, _ in rows
    }
    sizes: Mapping[Place, int | None] = {(namespace, table): count for namespace, table, *_, count in rows}
    return tuple(_resolve(one, types, sizes) for one in implied)


def _resolve(
    reference: Reference,
    types: Mapping[tuple[str, str, str], tuple[int, int]],
    sizes: Mapping[Place, int | None],
) -> Reference | NotCounted:
    own = [(*reference.child, column) for column in reference.columns]
    others = [(*reference.parent, column) for column in reference.parent_columns]
    tested = [(*reference.child, column) for column, _ in reference.when]
    missing = next((column for column in (*own, *others, *tested) if column not in types), None)
    if missing is not None:
        return NotCounted(reference=reference, why=f"there is no column {'.'.join(missing)}")
    return replace(
        reference,
        has_same_types=[types[column] for column in own] == [types[column] for column in others],
        child_rows=sizes[reference.child],
        parent_rows=sizes[reference.parent],
    )
