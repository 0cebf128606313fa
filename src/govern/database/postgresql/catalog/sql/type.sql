-- Composite types, ranges and base types. A range's multirange type is a fact of the range.
-- typsubscript came with PostgreSQL 14: an older server takes the name from "absent".
SELECT
  t.namespace,
  t.name,
  attributes.texts AS attributes,
  CASE WHEN g.rngtypid IS NOT NULL THEN format_type(g.rngsubtype, NULL) END AS subtype,
  nullif(g.rngcollation, 0)::regcollation::text AS collation,
  CASE WHEN NOT opc.opcdefault THEN opc.opcname END AS operator_class,
  nullif(g.rngcanonical, 0)::regproc::text AS canonical,
  nullif(g.rngsubdiff, 0)::regproc::text AS subtype_difference,
  CASE WHEN g.multirange <> 0 THEN format_type(g.multirange, NULL) END AS multirange,
  CASE WHEN NOT t.typisdefined THEN true END AS shell,
  base.texts AS base
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
CROSS JOIN (SELECT NULL::regproc AS typsubscript) absent_subscript
LEFT JOIN LATERAL (
  SELECT array_remove(ARRAY[
    'INPUT = ' || b.typinput,
    'OUTPUT = ' || b.typoutput,
    'RECEIVE = ' || nullif(b.typreceive, 0)::regproc,
    'SEND = ' || nullif(b.typsend, 0)::regproc,
    'TYPMOD_IN = ' || nullif(b.typmodin, 0)::regproc,
    'TYPMOD_OUT = ' || nullif(b.typmodout, 0)::regproc,
    'ANALYZE = ' || nullif(b.typanalyze, 0)::regproc,
    'SUBSCRIPT = ' || nullif(typsubscript, 0)::regproc,
    'INTERNALLENGTH = ' || CASE WHEN b.typlen < 0 THEN 'VARIABLE' ELSE b.typlen::text END,
    CASE WHEN b.typbyval THEN 'PASSEDBYVALUE' END,
    'ALIGNMENT = ' || CASE b.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'i' THEN 'int4' ELSE 'double' END,
    'STORAGE = ' || CASE b.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main'
      ELSE 'extended' END,
    CASE WHEN b.typcategory <> 'U' THEN 'CATEGORY = ' || quote_literal(b.typcategory::text) END,
    CASE WHEN b.typispreferred THEN 'PREFERRED' END,
    'DEFAULT = ' || quote_literal(b.typdefault),
    'ELEMENT = ' || format_type(nullif(b.typelem, 0), NULL),
    CASE WHEN b.typdelim <> ',' THEN 'DELIMITER = ' || quote_literal(b.typdelim::text) END,
    CASE WHEN b.typcollation <> 0 THEN 'COLLATABLE' END
  ], NULL) AS texts
  FROM pg_catalog.pg_type b WHERE b.oid = t.oid
) base ON t.typtype = 'b' AND t.kind = 'type'
WHERE t.kind = 'type'
