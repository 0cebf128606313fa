SELECT
  o.namespace,
  o.name,
  CASE a.amtype WHEN 't' THEN 'table' ELSE 'index' END AS type,
  a.amhandler::regproc::text AS handler
FROM other_object o
JOIN pg_catalog.pg_am a ON a.oid = o.oid
WHERE o.kind = 'access-method'
