-- Composite types and ranges. A range's multirange type is a fact of the range.
SELECT
  t.namespace,
  t.name,
  attributes.texts AS attributes,
  CASE WHEN g.rngtypid IS NOT NULL THEN format_type(g.rngsubtype, NULL) END AS subtype,
  nullif(g.rngcollation, 0)::regcollation::text AS collation,
  CASE WHEN NOT opc.opcdefault THEN opc.opcname END AS operator_class,
  nullif(g.rngcanonical, 0)::regproc::text AS canonical,
  nullif(g.rngsubdiff, 0)::regproc::text AS subtype_difference,
  CASE WHEN g.multirange <> 0 THEN format_type(g.multirange, NULL) END AS multirange
FROM own_type t
LEFT JOIN LATERAL (
  SELECT array_agg(
    concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
      CASE WHEN a.attcollation <> u.typcollation THEN 'COLLATE ' || a.attcollation::regcollation::text END)
    ORDER BY a.attnum
  ) AS texts
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type u ON u.oid = a.atttypid
  WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
) attributes ON t.typtype = 'c'
CROSS JOIN (SELECT 0::oid AS rngmultitypid) absent
LEFT JOIN LATERAL (
  SELECT own.*, rngmultitypid AS multirange FROM pg_catalog.pg_range own WHERE own.rngtypid = t.oid
) g ON true
LEFT JOIN pg_catalog.pg_opclass opc ON opc.oid = g.rngsubopc
WHERE t.kind = 'type'
