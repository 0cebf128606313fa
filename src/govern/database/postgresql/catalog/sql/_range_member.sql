-- The functions and casts that the server makes with a range type.
SELECT classid, objid FROM pg_catalog.pg_depend
WHERE classid IN ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_cast'::regclass) AND deptype = 'i'
