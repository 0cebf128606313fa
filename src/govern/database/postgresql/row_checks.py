"""Sequences that fell behind, values that are there twice, checks that were never made, broken indexes. Reads only."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from psycopg import Error, errors, sql

from govern.core.identifiers import quote, quote_place
from govern.core.rows import (
    BrokenPromise,
    Damage,
    Duplicates,
    NotLookedAt,
    Promise,
    SequencePosition,
    Unique,
)
from govern.core.sql_text import replace_word
from govern.core.wording import first_line
from govern.database import row_queries
from govern.database.postgresql.own_schema import name_namespace
from govern.database.postgresql.time_limit import within
from govern.database.postgresql.unread import explain

if TYPE_CHECKING:
    from govern.core.restoration import Place
    from govern.database.connection import Connection

# a serial's and an identity's column owns its sequence; a sequence that runs backwards or in a circle has no end to
# be behind of
_SEQUENCES = """
SELECT sn.nspname::text, s.relname::text, n.nspname::text, c.relname::text, a.attname::text
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid AND q.seqincrement > 0 AND NOT q.seqcycle
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
  AND d.deptype IN ('a', 'i') AND n.nspname NOT IN ('govern', 'govern_backup', 'pg_catalog')
  AND (%s::text IS NULL OR n.nspname = %s)
ORDER BY 3, 4, 5
"""
# one that was restarted gives its last_value next, and has given the one before as good as
_POSITION = sql.SQL(
    "SELECT {place}, (SELECT max({column}) FROM {table}), "
    "(SELECT CASE WHEN is_called THEN last_value WHEN last_value > 1 THEN last_value - 1 END FROM {sequence})"
)
# NOT NULL constraints can be NOT VALID since 18; a domain's are about every column of that type
_UNCHECKED = """
SELECT n.nspname::text, c.relname::text, k.contype::text,
  CASE k.contypid WHEN 0 THEN k.conname::text ELSE pg_catalog.format_type(k.contypid, NULL) || '.' || k.conname END,
  CASE WHEN coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) THEN 'it is NOT VALID'
       ELSE 'it is NOT ENFORCED' END,
  pg_catalog.pg_get_expr(k.conbin, k.conrelid), a.attname::text,
  array(
    SELECT p.attname::text FROM pg_catalog.pg_index i
    CROSS JOIN pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY key(number, position)
    JOIN pg_catalog.pg_attribute p ON p.attrelid = c.oid AND p.attnum = key.number
    WHERE i.indrelid = c.oid AND i.indisprimary AND key.position <= i.indnkeyatts ORDER BY key.position
  )
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  OR (k.contypid <> 0 AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND EXISTS (
    SELECT FROM pg_catalog.pg_attribute u
    WHERE u.attrelid = c.oid AND u.atttypid = k.contypid AND NOT u.attisdropped))
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
  AND CASE WHEN k.contypid <> 0 THEN a.atttypid = k.contypid
      ELSE k.contype = 'n' AND a.attnum = k.conkey[1] END
WHERE NOT k.convalidated AND k.conparentid = 0 AND n.nspname !~ '^pg_'
  AND (k.contype = 'c' OR (k.contype = 'n' AND k.contypid = 0))
  AND (%s::text IS NULL OR n.nspname = %s)
ORDER BY 1, 2, 4, 7
"""
_CHECKABLE_INDEXES = """
SELECT e.nspname::text, n.nspname::text, i.relname::text, i.oid::bigint
FROM pg_catalog.pg_class i JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid AND x.indisvalid AND x.indisready
JOIN pg_catalog.pg_am m ON m.oid = i.relam AND m.amname = 'btree'
CROSS JOIN (
  SELECT h.nspname FROM pg_catalog.pg_extension ex JOIN pg_catalog.pg_namespace h ON h.oid = ex.extnamespace
  WHERE ex.extname = 'amcheck'
) e
WHERE i.relkind = 'i' AND i.relpersistence = 'p' AND n.nspname !~ '^pg_'
  AND (%s::text IS NULL OR n.nspname = %s)
ORDER BY i.relpages
"""
# what CREATE UNIQUE INDEX CONCURRENTLY left when it met duplicates
_INVALID_UNIQUES = """
SELECT n.nspname::text, c.relname::text, array(
  SELECT a.attname::text
  FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k(number, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
  WHERE k.position <= i.indnkeyatts ORDER BY k.position
)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisunique AND NOT i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND n.nspname !~ '^pg_'
  AND (%s::text IS NULL OR n.nspname = %s)
ORDER BY 1, 2, i.indexrelid
"""
_OWN_TABLES = """
SELECT c.relname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = ANY (%s::text[])
"""
_SEQUENCES_AT_A_TIME = 50
_SEQUENCE_SECONDS = 30.0


def find_duplicates(
    connection: Connection, uniques: Sequence[Unique], *, examples: int, seconds: float
) -> Iterator[Duplicates | NotLookedAt]:
    """Values that are there twice in what ``uniques`` name, or an invalid unique index was to keep so."""
    invalid = [
        Unique.of_columns((name_namespace(namespace, connection.schema), table), tuple(columns))
        for namespace, table, columns in _own_rows(connection, _INVALID_UNIQUES)
    ]
    new = [one for one in invalid if not any(map(one.is_as, uniques))]
    missing = _find_missing(connection, uniques)
    for unique in (*uniques, *new):
        if unique.table in missing:
            why = f"the schema {connection.schema} has no such table"
            yield NotLookedAt(what=f"{unique.table[1]} ({', '.join(unique.columns)})", why=why)
            continue
        try:
            with within(connection, seconds):
                values = connection.value(row_queries.count_duplicates(unique))
                rows = connection.rows(row_queries.find_duplicates(unique, examples)) if values else []
        except Error as error:
            why = explain(connection, error, [unique.table])
            yield NotLookedAt(what=f"{unique.table[1]} ({', '.join(unique.columns)})", why=why)
            continue
        yield Duplicates(
            unique=unique,
            values=values,
            examples=row_queries.show_values(rows),
            query=row_queries.show_duplicates(unique),
        )


def _find_missing(connection: Connection, uniques: Sequence[Unique]) -> set[Place]:
    """Of one schema by itself: tables that it has not. Their names would lead to those that all schemas share."""
    wanted = {unique.table for unique in uniques if not unique.table[0]}
    if not wanted:
        return set()
    names = [name for _, name in wanted]
    return wanted - {("", name) for (name,) in connection.rows(_OWN_TABLES, (connection.schema, names))}


def _own_rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    """Of the whole database, or of the one schema of it that is meant."""
    return connection.rows(query, (connection.schema, connection.schema))


def read_sequence_positions(connection: Connection) -> Iterator[SequencePosition | NotLookedAt]:
    """How far each sequence and its column have come. The largest value is read from an index, where there is one."""
    rows = [
        (
            (name_namespace(sequence_namespace, connection.schema), sequence),
            (name_namespace(namespace, connection.schema), table),
            column,
        )
        for sequence_namespace, sequence, namespace, table, column in _own_rows(connection, _SEQUENCES)
    ]
    for start in range(0, len(rows), _SEQUENCES_AT_A_TIME):
        yield from _read_positions(connection, rows[start : start + _SEQUENCES_AT_A_TIME])


def _read_positions(
    connection: Connection, owned: Sequence[tuple[Place, Place, str]]
) -> Iterator[SequencePosition | NotLookedAt]:
    """All in one statement; one by one where one of them may not be read."""
    query = sql.SQL(" UNION ALL ").join(
        _POSITION.format(
            place=sql.Literal(number),
            column=sql.Identifier(column),
            table=sql.SQL(quote_place(table)),
            sequence=sql.SQL(quote_place(sequence)),
        )
        for number, (sequence, table, column) in enumerate(owned)
    )
    try:
        with within(connection, _SEQUENCE_SECONDS):
            found = {number: (largest, last) for number, largest, last in connection.rows(query)}
    except Error as error:
        if len(owned) == 1:
            [(sequence, table, _)] = owned
            why = explain(connection, error, [table])
            yield NotLookedAt(what=f"sequence {_text(sequence)}", why=why)
        else:
            for one in owned:
                yield from _read_positions(connection, [one])
        return
    for number, (sequence, table, column) in enumerate(owned):
        largest, last = found[number]
        yield SequencePosition(sequence=sequence, table=table, column=column, last=last, largest=largest)


def _text(place: Place) -> str:
    return ".".join(filter(None, place))


def find_broken(
    connection: Connection, promises: Sequence[Promise], *, examples: int, seconds: float
) -> Iterator[BrokenPromise | NotLookedAt]:
    """Rows that are otherwise than ``promises`` say, or constraints that are NOT VALID or NOT ENFORCED."""
    for promise in (*_read_unchecked(connection), *promises):
        try:
            with within(connection, seconds):
                rows = connection.value(row_queries.count_broken(promise))
                has_keys = rows and promise.key
                keys = connection.rows(row_queries.find_broken_keys(promise, examples)) if has_keys else []
        except Error as error:
            why = explain(connection, error, [promise.table])
            yield NotLookedAt(what=f"{promise.kind} {promise.table[1]}.{promise.name}", why=why)
            continue
        yield BrokenPromise(
            promise=promise,
            rows=rows,
            examples=row_queries.show_values(keys),
            query=row_queries.show_broken(promise),
        )


def _read_unchecked(connection: Connection) -> Iterator[Promise]:
    for namespace, table, kind, name, doubt, condition, column, key in _own_rows(connection, _UNCHECKED):
        is_not_null = kind == "n"
        is_domain = not is_not_null and column is not None
        value = quote(column) if column else ""
        said = replace_word(condition, "VALUE", value) if is_domain else condition
        yield Promise(
            table=(name_namespace(namespace, connection.schema), table),
            kind="not null" if is_not_null else "domain" if is_domain else "check",
            name=name,
            doubt=doubt,
            broken=f"{value} IS NULL" if is_not_null else f"NOT ({said})",
            column=column,
            key=tuple(key),
        )


def find_damage(connection: Connection, *, seconds: float) -> Iterator[Damage | NotLookedAt]:
    """Indexes that contradict themselves or their tables, where the extension amcheck is there; the smallest first."""
    deadline = time.monotonic() + seconds
    for extension, namespace, index, oid in _own_rows(connection, _CHECKABLE_INDEXES):
        name = _text((name_namespace(namespace, connection.schema), index))
        call = sql.SQL("SELECT {}.bt_index_check({}::regclass, true)").format(
            sql.Identifier(extension), sql.Literal(oid)
        )
        try:
            with within(connection, deadline - time.monotonic()):
                connection.rows(call)
        except (errors.DataCorrupted, errors.IndexCorrupted) as error:
            yield Damage(what=name, said=first_line(error))
        except Error as error:
            yield NotLookedAt(what=f"index {name}", why=first_line(error))
