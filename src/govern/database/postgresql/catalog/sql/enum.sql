SELECT o.namespace, o.name, labels.texts AS labels
FROM own_type o
LEFT JOIN LATERAL (
  SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) AS texts
  FROM pg_catalog.pg_enum e WHERE e.enumtypid = o.oid
) labels ON true
WHERE o.kind = 'enum'
