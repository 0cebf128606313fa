-- Only what belongs to somebody else than the usual owner. The sequence of a serial or identity column follows its
-- table.
SELECT o.namespace, o.kind AS prefix, o.parent, o.name, o.signature, pg_get_userbyid(o.owner)::text AS role
FROM object o CROSS JOIN usual
WHERE o.owner <> 0 AND o.owner <> usual.role AND NOT (o.kind = 'sequence' AND EXISTS (
  SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = o.oid
    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
))
