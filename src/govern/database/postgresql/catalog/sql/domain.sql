SELECT
  t.namespace,
  t.name,
  format_type(t.typbasetype, t.typtypmod) AS type,
  NOT t.typnotnull AS nullable,
  coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault) AS "default",
  CASE WHEN t.typcollation <> above.typcollation THEN t.typcollation::regcollation::text END AS collation,
  checks.texts AS constraints
FROM own_type t
JOIN pg_catalog.pg_type above ON above.oid = t.typbasetype
LEFT JOIN LATERAL (
  SELECT array_agg(quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid) ORDER BY k.conname) AS texts
  FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid
    AND (k.contype = 'c' OR k.contype = 'n' AND k.conname !~ '_not_null[0-9]*$')
) checks ON true
WHERE t.kind = 'domain'
