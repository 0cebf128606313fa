-- A partition or inheriting table names its parents; its own inherited columns are not repeated.
-- inhdetachpending came with PostgreSQL 14: an older server takes the name from "absent".
SELECT
  r.namespace,
  r.relname AS name,
  CASE r.relpersistence WHEN 'u' THEN 'unlogged' END AS persistence,
  (SELECT nullif(a.amname, 'heap') FROM pg_catalog.pg_am a WHERE a.oid = r.relam) AS access_method,
  CASE WHEN r.reloftype <> 0 THEN format_type(r.reloftype, NULL) END AS of_type,
  CASE r.relkind WHEN 'p' THEN pg_get_partkeydef(r.oid) END AS partition_key,
  CASE WHEN r.relispartition THEN parents.names[1] END AS partition_of,
  CASE WHEN r.relispartition THEN pg_get_expr(r.relpartbound, r.oid) END AS partition_bound,
  CASE WHEN parents.is_leaving THEN true END AS detach_pending,
  CASE WHEN NOT r.relispartition THEN parents.names END AS inherits,
  CASE WHEN r.relrowsecurity THEN true END AS row_security,
  CASE WHEN r.relforcerowsecurity THEN true END AS force_row_security,
  CASE r.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' WHEN 'i' THEN 'index ' || coalesce(identity.index, '(dropped)')
  END AS replica_identity,
  marked.index AS clustered_on,
  options.texts AS options
FROM relation r
LEFT JOIN (
  SELECT i.inhrelid, array_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) AS names,
    bool_or(i.leaving) AS is_leaving
  FROM (SELECT false AS inhdetachpending) absent
  CROSS JOIN LATERAL (SELECT own.*, inhdetachpending AS leaving FROM pg_catalog.pg_inherits own) i
  GROUP BY i.inhrelid
) parents ON parents.inhrelid = r.oid
LEFT JOIN (
  SELECT x.indrelid, c.relname::text AS index
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
  WHERE x.indisclustered
) marked ON marked.indrelid = r.oid
LEFT JOIN (
  SELECT x.indrelid, c.relname::text AS index
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
  WHERE x.indisreplident
) identity ON r.relreplident = 'i' AND identity.indrelid = r.oid
LEFT JOIN pg_catalog.pg_class toast ON toast.oid = r.reltoastrelid AND toast.reloptions IS NOT NULL
LEFT JOIN LATERAL (
  SELECT array_agg(o.text ORDER BY o.text COLLATE "C") AS texts
  FROM (SELECT unnest(r.reloptions) AS text UNION ALL SELECT 'toast.' || unnest(toast.reloptions)) o
  WHERE r.reloptions IS NOT NULL OR toast.reloptions IS NOT NULL
) options ON true
WHERE r.relkind IN ('r', 'p')
