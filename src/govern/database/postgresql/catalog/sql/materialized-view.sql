-- Whether it is populated is data, not definition.
SELECT
  r.namespace,
  r.relname AS name,
  pg_get_viewdef(r.oid) AS definition,
  options.texts AS options,
  (SELECT nullif(a.amname, 'heap') FROM pg_catalog.pg_am a WHERE a.oid = r.relam) AS access_method,
  columns.texts AS columns,
  marked.index AS clustered_on,
  dependent.extensions
FROM relation r
LEFT JOIN LATERAL (
  SELECT array_agg(o ORDER BY o COLLATE "C") AS texts FROM unnest(r.reloptions) o
) options ON r.reloptions IS NOT NULL
LEFT JOIN LATERAL (
  SELECT array_agg(quote_ident(own.name) || ' ' || own.text ORDER BY own.attnum) AS texts
  FROM (SELECT ''::"char" AS attcompression) absent
  CROSS JOIN LATERAL (
    SELECT a.attname AS name, a.attnum, concat_ws(' ',
      CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || CASE a.attstorage
        WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END,
      CASE attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END,
      CASE WHEN a.attstattarget >= 0 THEN 'STATISTICS ' || a.attstattarget END,
      '(' || array_to_string(a.attoptions, ', ') || ')'
    ) AS text
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = r.oid AND a.attnum > 0
  ) own
  WHERE own.text <> ''
) columns ON true
LEFT JOIN (
  SELECT x.indrelid, c.relname::text AS index
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
  WHERE x.indisclustered
) marked ON marked.indrelid = r.oid
LEFT JOIN extension_dependent dependent
  ON dependent.classid = 'pg_catalog.pg_class'::regclass AND dependent.objid = r.oid
WHERE r.relkind = 'm'
