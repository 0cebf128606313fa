SELECT
  coalesce(n.nspname, '') AS namespace,
  CASE item.type WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
    WHEN 'n' THEN 'schemas' ELSE 'large-objects' END AS prefix,
  CASE WHEN item.role = usual.role THEN '(owner)' ELSE pg_get_userbyid(item.role)::text END AS name,
  CASE WHEN item.grantee = 0 THEN 'PUBLIC' WHEN item.grantee IN (item.role, usual.role) THEN '(owner)'
    ELSE pg_get_userbyid(item.grantee)::text END AS grantee,
  item.privileges
FROM (
  SELECT
    d.defaclobjtype AS type, d.defaclrole AS role, d.defaclnamespace AS space, a.grantee,
    coalesce(array_agg(a.privilege ORDER BY a.privilege) FILTER (WHERE a.now), '{}') AS privileges,
    coalesce(array_agg(a.privilege ORDER BY a.privilege) FILTER (WHERE NOT a.now), '{}') AS expected
  FROM pg_catalog.pg_default_acl d
  CROSS JOIN LATERAL (
    SELECT true AS now, e.grantee,
      e.privilege_type || CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS privilege
    FROM aclexplode(d.defaclacl) e
    UNION ALL
    -- what a schema is given comes on top; what the whole database is given replaces the default
    SELECT false, e.grantee, e.privilege_type
    FROM aclexplode(acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's'::"char" ELSE d.defaclobjtype END, d.defaclrole)) e
    WHERE d.defaclnamespace = 0
  ) a
  GROUP BY d.defaclobjtype, d.defaclrole, d.defaclnamespace, a.grantee
) item
CROSS JOIN usual
LEFT JOIN namespace n ON n.oid = item.space
WHERE item.privileges <> item.expected AND (item.space = 0 OR n.oid IS NOT NULL)
