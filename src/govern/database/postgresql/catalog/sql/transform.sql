SELECT
  o.namespace,
  o.name,
  nullif(t.trffromsql, 0)::regprocedure::text AS from_sql,
  nullif(t.trftosql, 0)::regprocedure::text AS to_sql
FROM other_object o
JOIN pg_catalog.pg_transform t ON t.oid = o.oid
WHERE o.kind = 'transform'
