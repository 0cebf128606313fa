SELECT
  r.namespace,
  r.relname AS name,
  pg_get_viewdef(r.oid) AS definition,
  options.texts AS options,
  defaults.texts AS defaults
FROM relation r
LEFT JOIN LATERAL (
  SELECT array_agg(o ORDER BY o COLLATE "C") AS texts FROM unnest(r.reloptions) o
) options ON r.reloptions IS NOT NULL
LEFT JOIN LATERAL (
  SELECT array_agg(quote_ident(a.attname) || ' ' || pg_get_expr(d.adbin, d.adrelid) ORDER BY a.attnum) AS texts
  FROM pg_catalog.pg_attrdef d
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  WHERE d.adrelid = r.oid
) defaults ON true
WHERE r.relkind = 'v'
