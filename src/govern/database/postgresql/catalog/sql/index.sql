-- Not those behind a constraint, nor the parts of a partitioned index.
SELECT
  r.namespace,
  r.relname AS parent,
  i.relname AS name,
  pg_get_indexdef(i.oid) AS definition,
  CASE WHEN x.indisunique THEN true END AS "unique",
  CASE WHEN NOT x.indisvalid THEN false END AS valid,
  targets.texts AS statistics
FROM relation r
JOIN pg_catalog.pg_index x ON x.indrelid = r.oid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
LEFT JOIN LATERAL (
  SELECT array_agg(a.attnum || ': ' || a.attstattarget ORDER BY a.attnum) AS texts
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.oid AND a.attstattarget >= 0
) targets ON x.indexprs IS NOT NULL
WHERE NOT i.relispartition
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint k
    WHERE k.conrelid = r.oid AND k.conindid = i.oid AND k.contype IN ('p', 'u', 'x')
  )
