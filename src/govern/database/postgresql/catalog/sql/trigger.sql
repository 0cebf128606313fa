-- Of the clones that a partitioned table's trigger has on its partitions only those in another state.
SELECT
  r.namespace,
  r.relname AS parent,
  g.tgname AS name,
  CASE WHEN g.tgparentid = 0 THEN pg_get_triggerdef(g.oid) END AS definition,
  CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always'
    ELSE CASE WHEN g.tgparentid <> 0 THEN 'origin' END END AS enabled,
  dependent.extensions
FROM relation r
JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid
LEFT JOIN pg_catalog.pg_trigger above ON above.oid = g.tgparentid
LEFT JOIN extension_dependent dependent
  ON dependent.classid = 'pg_catalog.pg_trigger'::regclass AND dependent.objid = g.oid
-- before PostgreSQL 15 a clone passed for internal
WHERE (g.tgparentid <> 0 OR NOT g.tgisinternal)  -- neither for a foreign key: far more than of all others
  AND CASE WHEN g.tgparentid = 0 THEN NOT g.tgisinternal
  ELSE NOT above.tgisinternal AND g.tgenabled <> above.tgenabled END
