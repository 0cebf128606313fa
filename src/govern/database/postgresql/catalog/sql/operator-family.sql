-- What came with an operator class is a fact of that class.
SELECT o.namespace, o.name, o.signature, entries.operators, entries.functions
FROM other_object o
LEFT JOIN LATERAL (
  SELECT
    array_agg(e.text ORDER BY e.number, e.text) FILTER (WHERE e.is_operator) AS operators,
    array_agg(e.text ORDER BY e.number, e.text) FILTER (WHERE NOT e.is_operator) AS functions
  FROM family_entry e WHERE e.family = o.oid AND e.class = 0
) entries ON true
WHERE o.kind = 'operator-family'
