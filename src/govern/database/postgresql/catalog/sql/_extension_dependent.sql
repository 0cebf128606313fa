-- What somebody said DEPENDS ON EXTENSION: it goes when the extension does.
SELECT d.classid, d.objid, array_agg(e.extname::text ORDER BY e.extname) AS extensions
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid
WHERE d.deptype = 'x'
GROUP BY d.classid, d.objid
