-- The access method stands in brackets after the name: two of them may have a class of one name.
SELECT
  o.namespace,
  o.name,
  o.signature,
  format_type(c.opcintype, NULL) AS type,
  (
    SELECT quote_ident(n.nspname) || '.' || quote_ident(f.opfname)
    FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
    WHERE f.oid = c.opcfamily
  ) AS family,
  CASE WHEN c.opcdefault THEN true END AS "default",
  CASE WHEN c.opckeytype <> 0 THEN format_type(c.opckeytype, NULL) END AS key_type,
  entries.operators,
  entries.functions
FROM other_object o
JOIN pg_catalog.pg_opclass c ON c.oid = o.oid
LEFT JOIN LATERAL (
  SELECT
    array_agg(e.text ORDER BY e.number, e.text) FILTER (WHERE e.is_operator) AS operators,
    array_agg(e.text ORDER BY e.number, e.text) FILTER (WHERE NOT e.is_operator) AS functions
  FROM family_entry e WHERE e.class = o.oid
) entries ON true
WHERE o.kind = 'operator-class'
