SELECT
  r.namespace,
  r.relname AS name,
  s.srvname::text AS server,
  option.texts AS options,
  CASE WHEN r.relispartition THEN parents.names[1] END AS partition_of,
  CASE WHEN r.relispartition THEN pg_get_expr(r.relpartbound, r.oid) END AS partition_bound,
  CASE WHEN NOT r.relispartition THEN parents.names END AS inherits
FROM relation r
JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = r.oid
JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
LEFT JOIN foreign_option option
  ON option.class = 'pg_catalog.pg_foreign_table'::regclass AND option.oid = r.oid
LEFT JOIN LATERAL (
  SELECT array_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) AS names
  FROM pg_catalog.pg_inherits i WHERE i.inhrelid = r.oid
) parents ON true
