SELECT o.namespace, o.kind AS prefix, o.parent, o.name, o.signature, d.description AS text
FROM object o
JOIN pg_catalog.pg_description d ON d.classoid = o.class AND d.objoid = o.oid AND d.objsubid = o.sub
-- not those of initdb
WHERE (o.kind, o.name::text, d.description) NOT IN (
  ('schema', 'public', 'standard public schema'), ('extension', 'plpgsql', 'PL/pgSQL procedural language')
)
