SELECT '' AS namespace, n.nspname AS name
FROM namespace n
WHERE n.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_catalog.pg_namespace'::regclass)
