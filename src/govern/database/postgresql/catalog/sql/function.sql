-- Functions, procedures and window functions: the server's own CREATE statement has every attribute.
SELECT o.namespace, o.name, o.signature, pg_get_functiondef(o.oid) AS definition
FROM routine o
WHERE o.kind = 'function'
