SELECT o.namespace, o.kind AS prefix, o.parent, o.name, o.signature, d.description AS text
FROM object o
JOIN pg_catalog.pg_description d ON d.classoid = o.class AND d.objoid = o.oid AND d.objsubid = o.sub
WHERE NOT (o.kind = 'schema' AND o.name = 'public' AND d.description = 'standard public schema')
