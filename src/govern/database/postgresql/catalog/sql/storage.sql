-- Tables, materialized views and indexes that do not lie in the database's own tablespace.
SELECT
  r.namespace,
  CASE WHEN i.oid IS NOT NULL THEN 'index' WHEN r.relkind = 'm' THEN 'materialized-view' ELSE 'table' END AS prefix,
  CASE WHEN i.oid IS NOT NULL THEN r.relname END AS parent,
  c.relname AS name,
  t.spcname::text AS tablespace
FROM pg_catalog.pg_tablespace t
JOIN pg_catalog.pg_class c ON c.reltablespace = t.oid
LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN relation r ON r.oid = coalesce(x.indrelid, c.oid)
WHERE t.spcname <> 'pg_global'
