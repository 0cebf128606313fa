-- What is inside of a table or type and has a comment, which is all that it can have.
SELECT 'column'::text AS kind, r.namespace, r.relname AS parent, a.attname AS name, d.description
FROM description d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND NOT a.attisdropped
JOIN relation r ON r.oid = d.objoid
WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid > 0
UNION ALL
SELECT 'index'::text, r.namespace, r.relname, i.relname, d.description
FROM description d
JOIN pg_catalog.pg_index x ON x.indexrelid = d.objoid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN relation r ON r.oid = x.indrelid
WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0
UNION ALL
SELECT 'constraint'::text, coalesce(r.namespace, t.namespace), coalesce(r.relname, t.name), k.conname, d.description
FROM description d
JOIN pg_catalog.pg_constraint k ON k.oid = d.objoid
LEFT JOIN relation r ON r.oid = k.conrelid
LEFT JOIN own_type t ON t.oid = k.contypid AND t.typtype = 'd'
WHERE d.classoid = 'pg_catalog.pg_constraint'::regclass AND (r.oid IS NOT NULL OR t.oid IS NOT NULL)
UNION ALL
SELECT 'trigger'::text, r.namespace, r.relname, g.tgname, d.description
FROM description d
JOIN pg_catalog.pg_trigger g ON g.oid = d.objoid AND NOT g.tgisinternal
JOIN relation r ON r.oid = g.tgrelid
WHERE d.classoid = 'pg_catalog.pg_trigger'::regclass
UNION ALL
SELECT 'rule'::text, r.namespace, r.relname, w.rulename, d.description
FROM description d
JOIN pg_catalog.pg_rewrite w ON w.oid = d.objoid AND w.rulename <> '_RETURN'
JOIN relation r ON r.oid = w.ev_class
WHERE d.classoid = 'pg_catalog.pg_rewrite'::regclass
UNION ALL
SELECT 'policy'::text, r.namespace, r.relname, p.polname, d.description
FROM description d
JOIN pg_catalog.pg_policy p ON p.oid = d.objoid
JOIN relation r ON r.oid = p.polrelid
WHERE d.classoid = 'pg_catalog.pg_policy'::regclass
