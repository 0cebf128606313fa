-- Not those behind a constraint. Of the parts of a partitioned index only those with a name that somebody chose, or
-- options of their own. The former say what they are a part of: of the uppermost, below which the tables' order decides.
-- pg_get_indexdef looks through all operator classes for each column: what it says of a usual index is put together here
-- in half the time. Usual is a B-tree of one or two columns without anything beside them, varchar with the class of text;
-- pg_get_expr breaks the lines of a CASE otherwise. indnullsnotdistinct came with PostgreSQL 15: an older server takes
-- the name from "absent".
SELECT
  r.namespace,
  r.relname AS parent,
  i.relname AS name,
  CASE
    WHEN i.relkind = 'i' AND i.relam = 403 AND i.reloptions IS NULL AND x.indexprs IS NULL AND NOT x.are_nulls_equal
      AND x.indnatts = x.indnkeyatts AND x.indnatts <= 2 AND (x.indpred IS NULL OR strpos(x.indpred::text, '{CASE') = 0)
      AND one_class.oid IS NOT NULL AND x.indoption[0] = 0 AND x.indcollation[0] IN (0, one.attcollation)
      AND (x.indnatts = 1
        OR two_class.oid IS NOT NULL AND x.indoption[1] = 0 AND x.indcollation[1] IN (0, two.attcollation))
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_opclass WHERE opcdefault AND opcintype = 'varchar'::regtype)
    THEN concat('CREATE ', CASE WHEN x.indisunique THEN 'UNIQUE ' END, 'INDEX ', quote_ident(i.relname), ' ON ',
      quote_ident(r.namespace), '.', quote_ident(r.relname), ' USING btree (',
      concat_ws(', ', quote_ident(one.attname), quote_ident(two.attname)), ')',
      ' WHERE ' || pg_get_expr(x.indpred, x.indrelid))
    ELSE pg_get_indexdef(i.oid)
  END AS definition,
  CASE WHEN x.indisunique THEN true END AS "unique",
  CASE WHEN NOT x.indisvalid THEN false END AS valid,
  CASE WHEN part.is_named THEN pg_partition_root(i.oid)::regclass::text END AS attached_to,
  targets.texts AS statistics,
  dependent.extensions
FROM relation r
CROSS JOIN (SELECT false AS indnullsnotdistinct) absent
CROSS JOIN LATERAL (
  SELECT own.*, indnullsnotdistinct AS are_nulls_equal
  FROM pg_catalog.pg_index own WHERE own.indrelid = r.oid
) x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
LEFT JOIN pg_catalog.pg_attribute one ON one.attrelid = x.indrelid AND one.attnum = x.indkey[0]
LEFT JOIN pg_catalog.pg_opclass one_class ON one_class.oid = x.indclass[0] AND one_class.opcdefault
  AND one_class.opcintype IN (one.atttypid, CASE WHEN one.atttypid = 'varchar'::regtype THEN 'text'::regtype END)
LEFT JOIN pg_catalog.pg_attribute two ON two.attrelid = x.indrelid AND two.attnum = x.indkey[1]
LEFT JOIN pg_catalog.pg_opclass two_class ON two_class.oid = x.indclass[1] AND two_class.opcdefault
  AND two_class.opcintype IN (two.atttypid, CASE WHEN two.atttypid = 'varchar'::regtype THEN 'text'::regtype END)
LEFT JOIN index_part part ON part.oid = i.oid
LEFT JOIN (
  SELECT a.attrelid, array_agg(a.attnum || ': ' || a.attstattarget ORDER BY a.attnum) AS texts
  FROM pg_catalog.pg_attribute a
  WHERE a.attstattarget >= 0 AND a.attrelid IN (
    SELECT own.indexrelid FROM pg_catalog.pg_index own WHERE own.indexprs IS NOT NULL
  )
  GROUP BY a.attrelid
) targets ON targets.attrelid = i.oid
LEFT JOIN extension_dependent dependent
  ON dependent.classid = 'pg_catalog.pg_class'::regclass AND dependent.objid = i.oid
WHERE (NOT i.relispartition OR part.is_named OR i.reloptions IS NOT NULL AND i.reloptions IS DISTINCT FROM (
    SELECT above.reloptions
    FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class above ON above.oid = h.inhparent
    WHERE h.inhrelid = i.oid
  ))
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint k
    WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x')
  )
