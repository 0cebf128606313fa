SELECT
  o.namespace,
  o.name,
  CASE c.castcontext WHEN 'a' THEN 'assignment' WHEN 'i' THEN 'implicit' END AS context,
  CASE c.castmethod WHEN 'i' THEN 'inout' WHEN 'b' THEN 'binary' END AS method,
  nullif(c.castfunc, 0)::regprocedure::text AS function
FROM other_object o
JOIN pg_catalog.pg_cast c ON c.oid = o.oid
WHERE o.kind = 'cast'
