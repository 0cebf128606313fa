-- Those of initdb have oids below 16384.
SELECT c.*, n.nspname AS namespace
FROM pg_catalog.pg_class c
JOIN namespace n ON n.oid = c.relnamespace
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
  AND NOT (c.relname = /*version table*/ AND c.relkind IN ('r', 'p') AND /*version namespace*/)
  AND c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_catalog.pg_class'::regclass)
