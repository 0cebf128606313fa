SELECT
  o.namespace,
  o.name,
  w.fdwname::text AS wrapper,
  s.srvtype AS type,
  s.srvversion AS version,
  option.texts AS options
FROM other_object o
JOIN pg_catalog.pg_foreign_server s ON s.oid = o.oid
JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
LEFT JOIN foreign_option option ON option.class = o.class AND option.oid = o.oid
WHERE o.kind = 'foreign-server'
