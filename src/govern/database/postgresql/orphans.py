"""References of a PostgreSQL database, and the rows that name no parent. Reads only, each statement for itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from psycopg import Error, errors

from govern.core.keys import Overlap
from govern.core.reference import NotCounted, OrphanCount, Reference
from govern.core.restoration import Place
from govern.core.wording import first_line
from govern.database import row_queries
from govern.database.connection import Connection
from govern.database.postgresql.time_limit import within

# of a partitioned table's foreign key there is one more for each partition
_REFERENCES = """
SELECT k.conname::text, cn.nspname::text, c.relname::text, pn.nspname::text, p.relname::text,
  array(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY n(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number ORDER BY n.position),
  array(SELECT a.attname::text FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY n(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.number ORDER BY n.position),
  CASE WHEN NOT coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) THEN 'it is NOT ENFORCED'
       WHEN NOT k.convalidated THEN 'it is NOT VALID'
       WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled IN ('D', 'R'))
       THEN 'its triggers are disabled' END,
  k.confmatchtype = 'f',
  coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false),
  c.relkind <> 'p' AND c.relhassubclass, p.relkind <> 'p' AND p.relhassubclass,
  EXISTS (
    SELECT FROM pg_catalog.pg_index i
    WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
      AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
      AND i.indnkeyatts >= cardinality(k.conkey)
  ),
  greatest(c.reltuples, 0)::bigint,
  CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default'
    WHEN 'r' THEN 'restrict' ELSE 'no action' END,
  array(SELECT a.attname::text FROM pg_catalog.jsonb_array_elements_text(
          coalesce(nullif(to_jsonb(k) -> 'confdelsetcols', 'null'), to_jsonb(k.conkey))) n(number)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number::int2
        WHERE k.confdeltype = 'n' ORDER BY a.attnum)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND cn.nspname NOT IN ('govern', 'govern_backup', 'pg_catalog')
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY 2, 3, 1
"""
_COLUMNS = """
SELECT n.nspname::text, c.relname::text, a.attname::text, a.atttypid::bigint, a.attcollation::bigint,
  greatest(c.reltuples, 0)::bigint
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) AS wanted (namespace, name)
  ON n.nspname = wanted.namespace AND c.relname = wanted.name
WHERE a.attnum > 0 AND NOT a.attisdropped
"""
# a policy that hides rows is to be an error, not a smaller number; small queries are not worth a compiler
_SETTINGS = {"row_security": "off", "jit": "off", "standard_conforming_strings": "on"}

_SMALL_ROWS = 20_000
"""Tables with fewer rows are looked at many at a time: the way to the server and back would be most of it."""
_AT_A_TIME = 50
_SAMPLED_ROWS = 200_000
_SAMPLE_SECONDS = 10.0


def read_references(connection: Connection) -> tuple[Reference, ...]:
    """Every declared foreign key, whether the server upholds it or not; of a partitioned table the whole's."""
    return tuple(
        Reference(
            name=name,
            child=(namespace, table),
            columns=tuple(columns),
            parent=(parent_namespace, parent),
            parent_columns=tuple(parent_columns),
            doubt=doubt,
            is_match_full=is_match_full,
            is_temporal=is_temporal,
            alone=frozenset(
                place
                for place, is_alone in (
                    ((namespace, table), is_child_alone),
                    ((parent_namespace, parent), is_parent_alone),
                )
                if is_alone
            ),
            is_indexed=is_indexed and not is_temporal,
            child_rows=rows,
            on_delete=on_delete,
            set_null=tuple(set_null),
        )
        for (
            name,
            namespace,
            table,
            parent_namespace,
            parent,
            columns,
            parent_columns,
            doubt,
            is_match_full,
            is_temporal,
            is_child_alone,
            is_parent_alone,
            is_indexed,
            rows,
            on_delete,
            set_null,
        ) in connection.rows(_REFERENCES)
    )


def resolve_implied(
    connection: Connection, implied: Sequence[Reference]
) -> tuple[Reference | NotCounted, ...]:
    """The same references with what the catalog knows of their columns' types and the tables' sizes."""
    places = sorted({place for one in implied for place in (one.child, one.parent)})
    rows = connection.rows(_COLUMNS, ([one for one, _ in places], [name for _, name in places]))
    types = {
        (namespace, table, column): (kind, collation) for namespace, table, column, kind, collation, _ in rows
    }
    sizes: Mapping[Place, int] = {(namespace, table): count for namespace, table, *_, count in rows}
    return tuple(_resolve(one, types, sizes) for one in implied)


def _resolve(
    reference: Reference, types: Mapping[tuple[str, str, str], tuple[int, int]], sizes: Mapping[Place, int]
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
    )


def find_orphans(
    connection: Connection,
    references: Sequence[Reference],
    *,
    examples: int,
    seconds: float,
) -> Iterator[OrphanCount | NotCounted]:
    """How many rows of each name no parent; small tables first, many in one statement.

    ``seconds`` is for all of them together. What is left then is looked at in a sample of its rows; what even that
    does not do is not counted, and says so.
    """
    deadline = time.monotonic() + seconds
    for name, value in _SETTINGS.items():
        connection.rows("SELECT set_config(%s, %s, false)", (name, value))
    small = [one for one in references if one.child_rows < _SMALL_ROWS]
    large = sorted(
        (one for one in references if one.child_rows >= _SMALL_ROWS), key=lambda one: one.child_rows
    )
    for start in range(0, len(small), _AT_A_TIME):
        group = small[start : start + _AT_A_TIME]
        for reference, count in zip(group, _count_together(connection, group, deadline), strict=True):
            yield _complete(connection, reference, count, examples)
    for reference in large:
        yield _complete(connection, reference, _count(connection, reference, deadline), examples)


def measure_overlap(
    connection: Connection, reference: Reference, *, values: int, seconds: float
) -> Overlap | None:
    """How many of at most ``values`` different ones the parent has; None where that cannot be read in ``seconds``."""
    try:
        with within(connection, seconds):
            ((looked_at, found),) = connection.rows(row_queries.measure_overlap(reference, values))
    except Error:
        return None
    return Overlap(values=looked_at, found=found)


def _count_together(
    connection: Connection, group: Sequence[Reference], deadline: float
) -> list[OrphanCount | NotCounted]:
    """One that cannot be asked spoils the statement for all: then each is asked for itself."""
    try:
        with within(connection, deadline - time.monotonic()):
            numbers = dict(connection.rows(row_queries.count_orphans_of_each(group)))
    except Error:
        return [_count(connection, one, deadline) for one in group]
    return [OrphanCount(reference=one, rows=numbers[place]) for place, one in enumerate(group)]


def _count(connection: Connection, reference: Reference, deadline: float) -> OrphanCount | NotCounted:
    try:
        if (seconds := deadline - time.monotonic()) > 0:
            with within(connection, seconds):
                return OrphanCount(
                    reference=reference, rows=connection.value(row_queries.count_orphans(reference))
                )
    except errors.QueryCanceled:
        pass
    except Error as error:
        return NotCounted(reference=reference, why=first_line(error))
    return _count_sample(connection, reference)


def _count_sample(connection: Connection, reference: Reference) -> OrphanCount | NotCounted:
    percent = max(0.0001, min(100.0, 100.0 * _SAMPLED_ROWS / max(reference.child_rows, 1)))
    try:
        with within(connection, _SAMPLE_SECONDS):
            rows = connection.value(
                row_queries.count_orphans(reference, f"TABLESAMPLE SYSTEM ({percent:.6f})")
            )
    except Error as error:
        return NotCounted(reference=reference, why=first_line(error))
    return OrphanCount(reference=reference, rows=rows, sampled_percent=None if percent == 100 else percent)


def _complete(
    connection: Connection, reference: Reference, found: OrphanCount | NotCounted, examples: int
) -> OrphanCount | NotCounted:
    """With examples, where there are orphans."""
    if isinstance(found, NotCounted) or not found.rows:
        return found
    shown: tuple[str, ...] = ()
    try:
        with within(connection, _SAMPLE_SECONDS):
            rows = connection.rows(row_queries.find_examples(reference, examples))
        shown = row_queries.show_values(rows)
    except errors.QueryCanceled:  # the number is what matters
        pass
    return replace(found, examples=shown, query=row_queries.show_orphans(reference))
