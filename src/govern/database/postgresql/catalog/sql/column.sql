-- An inherited column says only in what it differs from its parent's, and is left out where it does not.
-- attcompression came with PostgreSQL 14: an older server takes the name from "absent". A default has no columns in
-- it: written without a table, the server need not open that. OFFSET 0 keeps the search for an identity's sequence to
-- columns that are one.
SELECT c.* FROM (SELECT
  r.namespace,
  r.relname AS parent,
  a.attname AS name,
  CASE WHEN p.attrelid IS NULL THEN format_type(a.atttypid, a.atttypmod) END AS type,
  CASE WHEN p.attrelid IS NULL OR p.attnotnull <> a.attnotnull THEN NOT a.attnotnull END AS nullable,
  CASE
    WHEN a.attgenerated <> '' THEN NULL
    WHEN p.attrelid IS NULL THEN pg_get_expr(d.adbin, 0)
    WHEN pg_get_expr(d.adbin, 0) IS DISTINCT FROM p.expression THEN coalesce(pg_get_expr(d.adbin, 0), 'NULL')
  END AS "default",
  CASE
    WHEN a.attgenerated = '' THEN NULL
    WHEN p.attrelid IS NULL THEN pg_get_expr(d.adbin, r.oid)
    WHEN pg_get_expr(d.adbin, r.oid) IS DISTINCT FROM p.expression THEN coalesce(pg_get_expr(d.adbin, r.oid), 'NULL')
  END AS generated,
  CASE WHEN p.attrelid IS NULL THEN
    CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END
  END AS generated_kind,
  CASE WHEN p.attrelid IS NULL OR p.attidentity <> a.attidentity THEN
    CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END
  END AS identity,
  CASE WHEN p.attrelid IS NULL THEN identity.options END AS identity_options,
  -- a name that the server made keeps the table's or the column's when the other is renamed
  CASE WHEN p.attrelid IS NULL AND NOT (identity.sequence ~ '_seq[0-9]*$' AND (
    starts_with(identity.sequence, r.relname || '_') OR octet_length(identity.sequence) > 59
    OR strpos(identity.sequence, '_' || a.attname || '_seq') > 0
  )) THEN identity.sequence END AS identity_sequence,
  CASE WHEN a.attcollation <> t.typcollation AND p.attrelid IS NULL THEN a.attcollation::regcollation::text
  END AS collation,
  CASE WHEN a.attstorage <> coalesce(p.attstorage, t.typstorage) THEN
    CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END
  END AS storage,
  CASE a.compression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
  nullif(a.attstattarget, -1)::integer AS statistics,
  a.attoptions AS options,
  a.attfdwoptions AS foreign_options
FROM relation r
CROSS JOIN (SELECT ''::"char" AS attcompression) absent
CROSS JOIN LATERAL (
  SELECT own.*, attcompression AS compression FROM pg_catalog.pg_attribute own
  WHERE own.attrelid = r.oid AND own.attnum > 0 AND NOT own.attisdropped
) a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN (
  SELECT DISTINCT ON (i.inhrelid, above.attname) i.inhrelid, above.attname, above.attrelid, above.attnotnull,
    above.attstorage, above.attidentity, pg_get_expr(d.adbin, d.adrelid) AS expression
  FROM pg_catalog.pg_inherits i
  JOIN pg_catalog.pg_attribute above ON above.attrelid = i.inhparent
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = above.attrelid AND d.adnum = above.attnum
  ORDER BY i.inhrelid, above.attname, i.inhseqno
) p ON p.inhrelid = r.oid AND p.attname = a.attname AND a.attinhcount > 0 AND NOT a.attislocal
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum AND a.atthasdef
LEFT JOIN LATERAL (
  SELECT option.text AS options, s.relname::text AS sequence
  FROM pg_catalog.pg_depend depend
  JOIN sequence_option option ON option.seqrelid = depend.objid
  JOIN pg_catalog.pg_class s ON s.oid = depend.objid
  WHERE depend.classid = 'pg_catalog.pg_class'::regclass
    AND depend.refclassid = 'pg_catalog.pg_class'::regclass AND depend.deptype = 'i'
    AND a.attidentity <> '' AND depend.refobjid = r.oid AND depend.refobjsubid = a.attnum
  OFFSET 0
) identity ON true
WHERE r.relkind IN ('r', 'p', 'f')
OFFSET 0) c  -- so that each fact is worked out once
WHERE num_nonnulls(
  c.type, c.nullable, c."default", c.generated, c.identity, c.storage, c.compression, c.statistics, c.options,
  c.foreign_options
) > 0
