-- Not those behind a constraint. Of the parts of a partitioned index only those with a name that somebody chose, or
-- options of their own. The former say what they are a part of: of the uppermost, below which the tables' order decides.
SELECT
  r.namespace,
  r.relname AS parent,
  i.relname AS name,
  pg_get_indexdef(i.oid) AS definition,
  CASE WHEN x.indisunique THEN true END AS "unique",
  CASE WHEN NOT x.indisvalid THEN false END AS valid,
  CASE WHEN part.is_named THEN pg_partition_root(i.oid)::regclass::text END AS attached_to,
  targets.texts AS statistics,
  dependent.extensions
FROM relation r
JOIN pg_catalog.pg_index x ON x.indrelid = r.oid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
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
