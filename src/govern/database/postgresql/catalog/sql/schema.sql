SELECT '' AS namespace, n.nspname AS name
FROM namespace n
WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_catalog.pg_namespace'::regclass AND objid = n.oid)
