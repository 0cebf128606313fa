SELECT
  o.namespace,
  o.name,
  o.signature,
  p.oprcode::regprocedure::text AS function,
  nullif(p.oprcom, 0)::regoperator::text AS commutator,
  nullif(p.oprnegate, 0)::regoperator::text AS negator,
  nullif(p.oprrest, 0)::regproc::text AS restriction,
  nullif(p.oprjoin, 0)::regproc::text AS "join",
  CASE WHEN p.oprcanhash THEN true END AS hashes,
  CASE WHEN p.oprcanmerge THEN true END AS merges
FROM other_object o
JOIN pg_catalog.pg_operator p ON p.oid = o.oid
WHERE o.kind = 'operator'
