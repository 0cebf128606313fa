-- Not those a partition or child inherits, but for keys with a name that somebody chose. Where a key is a part of a
-- partitioned table's key or unique index, it says of which, as an index does. A plain NOT NULL is a fact of its
-- column: PostgreSQL 18 keeps it as a constraint too, which is listed only if somebody named it, or if it is not valid
-- or not inherited. A name like table_column_not_null was made by the server: it keeps those that both had then, whatever
-- they are called now.
SELECT
  r.namespace,
  r.relname AS parent,
  k.conname AS name,
  CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key'
    WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclude' WHEN 'n' THEN 'not null' END AS type,
  pg_get_constraintdef(k.oid) AS definition,
  CASE WHEN NOT k.convalidated THEN false END AS validated,
  CASE WHEN NOT x.indisvalid THEN false END AS valid,
  pg_partition_root(part.oid)::regclass::text AS attached_to,
  triggers.texts AS triggers,
  i.reloptions AS options
FROM relation r
JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
LEFT JOIN pg_catalog.pg_class i ON i.oid = k.conindid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid
LEFT JOIN index_part part ON part.oid = i.oid
LEFT JOIN (
  SELECT g.tgconstraint, array_agg(DISTINCT CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
    ELSE 'always' END || ' on ' || g.tgrelid::regclass) AS texts
  FROM pg_catalog.pg_trigger g WHERE g.tgisinternal AND g.tgenabled <> 'O' GROUP BY g.tgconstraint
) triggers ON triggers.tgconstraint = k.oid
WHERE (k.conparentid = 0 OR part.is_named)
  AND k.contype <> 't'
  AND (k.contype <> 'c' OR k.conislocal)
  AND (
    k.contype <> 'n'
    OR k.conislocal AND (NOT k.convalidated OR k.connoinherit OR k.conname !~ '._.+_not_null[0-9]*$')
  )
