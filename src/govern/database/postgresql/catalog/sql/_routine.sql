SELECT p.oid, CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind, n.nspname AS namespace,
  p.proname AS name, oidvectortypes(p.proargtypes) AS signature, p.proowner, p.proacl, p.proparallel
FROM pg_catalog.pg_proc p JOIN namespace n ON n.oid = p.pronamespace
WHERE p.oid >= 16384
  AND p.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_catalog.pg_proc'::regclass)
  AND p.oid NOT IN (SELECT objid FROM range_member WHERE classid = 'pg_catalog.pg_proc'::regclass)
