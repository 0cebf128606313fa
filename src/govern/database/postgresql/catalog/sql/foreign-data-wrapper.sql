SELECT
  o.namespace,
  o.name,
  nullif(w.fdwhandler, 0)::regproc::text AS handler,
  nullif(w.fdwvalidator, 0)::regproc::text AS validator,
  option.texts AS options
FROM other_object o
JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = o.oid
LEFT JOIN foreign_option option ON option.class = o.class AND option.oid = o.oid
WHERE o.kind = 'foreign-data-wrapper'
