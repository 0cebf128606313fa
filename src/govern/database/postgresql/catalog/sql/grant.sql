-- A grantee's privileges where they are not those that every such object has from its creation on: all for its
-- owner, and what PUBLIC gets by default (or got in schema public from initdb).
SELECT
  held.namespace, held.kind AS prefix, held.parent, held.name, held.signature,
  CASE WHEN held.grantee = 0 THEN 'PUBLIC' WHEN held.grantee = held.acl_owner THEN '(owner)'
    ELSE pg_get_userbyid(held.grantee)::text END AS grantee,
  held.privileges
FROM usual CROSS JOIN (
  SELECT
    o.class, o.oid, o.sub, o.namespace, o.kind, o.parent, o.name, o.signature, o.acl_owner, item.grantee,
    coalesce(array_agg(DISTINCT item.privilege ORDER BY item.privilege) FILTER (WHERE item.now), '{}') AS privileges,
    coalesce(array_agg(DISTINCT item.privilege ORDER BY item.privilege) FILTER (WHERE NOT item.now), '{}') AS expected
  FROM object o
  LEFT JOIN pg_catalog.pg_init_privs initial
    ON initial.classoid = o.class AND initial.objoid = o.oid AND initial.objsubid = o.sub
  CROSS JOIN LATERAL (
    SELECT true AS now, a.grantee,
      a.privilege_type || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS privilege
    FROM aclexplode(o.acl) a
    UNION ALL
    SELECT false, a.grantee, a.privilege_type FROM aclexplode(acldefault(o.acl_type, o.acl_owner)) a
    WHERE a.grantee = o.acl_owner OR initial.objoid IS NULL
    UNION ALL
    SELECT false, a.grantee, a.privilege_type FROM aclexplode(initial.initprivs) a WHERE a.grantee = 0
  ) item
  WHERE o.acl IS NOT NULL
  GROUP BY o.class, o.oid, o.sub, o.namespace, o.kind, o.parent, o.name, o.signature, o.acl_owner, item.grantee
) held
WHERE held.privileges <> held.expected AND (held.grantee <> usual.role OR held.grantee = held.acl_owner)
