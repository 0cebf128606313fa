-- Not the sequence of an identity column: its options are facts of the column. An owned one is as
-- persistent as its table.
SELECT
  r.namespace,
  r.relname AS name,
  format_type(option.seqtypid, NULL) AS type,
  option.text AS options,
  CASE WHEN owner.text IS NULL AND r.relpersistence = 'u' THEN 'unlogged' END AS persistence,
  owner.text AS owned_by
FROM relation r
JOIN sequence_option option ON option.seqrelid = r.oid
LEFT JOIN (
  SELECT d.objid, d.deptype, concat_ws(
    '.', quote_ident(n.nspname), quote_ident(c.relname), quote_ident(a.attname)
  ) AS text
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.deptype IN ('a', 'i')
) owner ON owner.objid = r.oid
WHERE owner.deptype IS DISTINCT FROM 'i'
