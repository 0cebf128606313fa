-- Functions, procedures and window functions: the server's own CREATE statement has every attribute.
SELECT o.namespace, o.name, o.signature, pg_get_functiondef(o.oid) AS definition, dependent.extensions
FROM routine o
LEFT JOIN extension_dependent dependent
  ON dependent.classid = 'pg_catalog.pg_proc'::regclass AND dependent.objid = o.oid
WHERE o.kind = 'function'
