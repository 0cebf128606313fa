SELECT o.namespace, o.kind AS prefix, o.parent, o.name, o.signature, d.description AS text
FROM object o
JOIN description d ON d.classoid = o.class AND d.objoid = o.oid AND d.objsubid = o.sub
-- not those of initdb; columns are parts
WHERE o.sub = 0 AND (o.kind, o.name::text, d.description) NOT IN (
  ('schema', 'public', 'standard public schema'), ('extension', 'plpgsql', 'PL/pgSQL procedural language')
)
UNION ALL
SELECT p.namespace, p.kind, p.parent, p.name, NULL::text, p.description FROM described_part p
