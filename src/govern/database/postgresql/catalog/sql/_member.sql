-- Members of extensions. Left out with NOT IN: the server hashes them, however many or few it takes them for.
SELECT classid, objid FROM pg_catalog.pg_depend
WHERE refclassid = 'pg_catalog.pg_extension'::regclass AND deptype = 'e'
