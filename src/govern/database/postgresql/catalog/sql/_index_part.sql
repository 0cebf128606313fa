-- Indexes of partitions that are parts of a partitioned table's. is_named: by somebody. The server would make its name
-- of the table's and the columns' names as they are now, which a dump keeps; it cuts a long one short.
SELECT i.oid, NOT made.is_likely AS is_named
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_class i ON i.oid = h.inhrelid AND i.relkind IN ('i', 'I')
JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid
JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.oid AND k.contype IN ('p', 'u', 'x')
CROSS JOIN LATERAL (
  SELECT CASE k.contype WHEN 'p' THEN 'pkey' WHEN 'u' THEN 'key' WHEN 'x' THEN 'excl' ELSE 'idx' END AS ending
) purpose
CROSS JOIN LATERAL (
  SELECT i.relname ~ ('_' || purpose.ending || '[0-9]*$') AND (
    octet_length(i.relname) > 59
    OR x.indexprs IS NOT NULL AND starts_with(i.relname, t.relname || '_')
    OR regexp_replace(i.relname, '[0-9]*$', '') = concat_ws('_', t.relname, CASE WHEN purpose.ending <> 'pkey' THEN (
      SELECT string_agg(a.attname, '_' ORDER BY part.place)
      FROM unnest(x.indkey) WITH ORDINALITY part(attnum, place)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = part.attnum
    ) END, purpose.ending)
  ) AS is_likely
) made
