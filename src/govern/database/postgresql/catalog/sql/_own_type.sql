-- Not the row types of tables, nor the array and multirange types that come with a type. A base type is one
-- written in C; a pseudo-type is one of which only the name is known so far.
SELECT t.*, CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'type' END AS kind,
  n.nspname AS namespace, t.typname AS name
FROM pg_catalog.pg_type t JOIN namespace n ON n.oid = t.typnamespace
WHERE t.oid >= 16384
  AND (
    t.typtype IN ('e', 'd', 'r') OR t.typtype IN ('b', 'p') AND t.typcategory <> 'A'
    OR t.typtype = 'c' AND t.typrelid IN (SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relkind = 'c')
  )
  AND t.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_catalog.pg_type'::regclass)
