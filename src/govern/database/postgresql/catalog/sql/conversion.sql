SELECT
  o.namespace,
  o.name,
  pg_encoding_to_char(c.conforencoding)::text AS source,
  pg_encoding_to_char(c.contoencoding)::text AS target,
  c.conproc::regproc::text AS function,
  CASE WHEN c.condefault THEN true END AS "default"
FROM other_object o
JOIN pg_catalog.pg_conversion c ON c.oid = o.oid
WHERE o.kind = 'conversion'
