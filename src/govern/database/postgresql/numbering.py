"""Sequences that number a table's rows, moved past the largest number that is there."""

from __future__ import annotations

from psycopg.sql import SQL, Composable, Identifier, Literal

from govern.core.identifiers import quote_place
from govern.core.restoration import Place
from govern.database.connection import Connection

# an identity's, a serial's and one that a default names; of whole numbers alone
_NUMBERED = """
SELECT DISTINCT a.attname::text, n.nspname::text, s.relname::text, q.seqincrement > 0
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
JOIN pg_catalog.pg_depend d ON
  (d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i'))
  OR (d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid
    AND d.refclassid = 'pg_catalog.pg_class'::regclass)
JOIN pg_catalog.pg_sequence q ON q.seqrelid IN (d.objid, d.refobjid)
JOIN pg_catalog.pg_class s ON s.oid = q.seqrelid JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = a.attrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
WHERE tn.nspname = %s AND t.relname = %s AND a.attnum > 0 AND NOT a.attisdropped
  AND a.atttypid IN ('pg_catalog.int2'::regtype, 'pg_catalog.int4'::regtype, 'pg_catalog.int8'::regtype)
ORDER BY 1
"""
_ADVANCE = """
SELECT pg_catalog.setval(q.seqrelid::regclass, t.furthest)
FROM (SELECT {furthest}({column})::bigint AS furthest FROM {table}) AS t, {sequence} AS s, pg_catalog.pg_sequence q
WHERE q.seqrelid = {named}::regclass AND t.furthest BETWEEN q.seqmin AND q.seqmax
  AND (t.furthest {beyond} s.last_value OR (t.furthest = s.last_value AND NOT s.is_called))
"""


def advance_sequences(connection: Connection, place: Place) -> None:
    """Never back: numbers that were given out are not given out again. It stands even if the transaction does not."""
    for column, namespace, name, ascends in connection.rows(_NUMBERED, place):
        connection.rows(_fill(place, column, (namespace, name), ascends=ascends))


def _fill(place: Place, column: str, sequence: Place, *, ascends: bool) -> Composable:
    return SQL(_ADVANCE).format(
        furthest=SQL("max" if ascends else "min"),
        beyond=SQL(">" if ascends else "<"),
        column=Identifier(column),
        table=Identifier(*place),
        sequence=Identifier(*sequence),
        named=_literal(sequence),
    )


def _literal(sequence: Place) -> Composable:
    """The quoted name as text, as ``regclass`` reads it."""
    return Literal(quote_place(sequence))
