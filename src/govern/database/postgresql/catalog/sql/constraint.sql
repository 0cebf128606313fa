-- Not those a partition or child inherits. A plain NOT NULL is a fact of its column: PostgreSQL 18 keeps it as
-- a constraint too, which is listed only if somebody named it, or if it is not valid or not inherited.
SELECT
  r.namespace,
  r.relname AS parent,
  k.conname AS name,
  CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key'
    WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclude' WHEN 'n' THEN 'not null' END AS type,
  pg_get_constraintdef(k.oid) AS definition,
  CASE WHEN NOT k.convalidated THEN false END AS validated,
  CASE WHEN triggers.disabled THEN 'disabled' END AS triggers,
  i.reloptions AS options
FROM relation r
JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
LEFT JOIN pg_catalog.pg_class i ON i.oid = k.conindid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN (
  SELECT g.tgconstraint, bool_or(g.tgenabled <> 'O') AS disabled
  FROM pg_catalog.pg_trigger g WHERE g.tgisinternal GROUP BY g.tgconstraint
) triggers ON triggers.tgconstraint = k.oid
WHERE k.conparentid = 0
  AND k.contype <> 't'
  AND (k.contype <> 'c' OR k.conislocal)
  AND (
    k.contype <> 'n'
    OR k.conislocal AND (k.conname !~ '_not_null[0-9]*$' OR NOT k.convalidated OR k.connoinherit)
  )
