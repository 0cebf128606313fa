SELECT oid, nspname, nspowner, nspacl FROM pg_catalog.pg_namespace
WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'govern', 'govern_backup') AND /*home*/
