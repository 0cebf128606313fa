SELECT
  r.namespace,
  r.relname AS parent,
  p.polname AS name,
  CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete'
    ELSE 'all' END AS command,
  CASE WHEN NOT p.polpermissive THEN false END AS permissive,
  roles.names AS roles,
  pg_get_expr(p.polqual, p.polrelid) AS "using",
  pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
FROM relation r
JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
LEFT JOIN LATERAL (
  SELECT array_agg(CASE WHEN usual.role = a.rolid THEN '(owner)' ELSE pg_get_userbyid(a.rolid)::text END
    ORDER BY pg_get_userbyid(a.rolid) COLLATE "C") AS names
  FROM unnest(p.polroles) a(rolid) CROSS JOIN usual
  WHERE a.rolid <> 0
) roles ON true
