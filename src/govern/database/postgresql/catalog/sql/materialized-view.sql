-- Whether it is populated is data, not definition.
SELECT
  r.namespace,
  r.relname AS name,
  pg_get_viewdef(r.oid) AS definition,
  options.texts AS options,
  (SELECT nullif(a.amname, 'heap') FROM pg_catalog.pg_am a WHERE a.oid = r.relam) AS access_method
FROM relation r
LEFT JOIN LATERAL (
  SELECT array_agg(o ORDER BY o COLLATE "C") AS texts FROM unnest(r.reloptions) o
) options ON r.reloptions IS NOT NULL
WHERE r.relkind = 'm'
