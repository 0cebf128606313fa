-- Everything that can have a comment, an owner or privileges of its own.
SELECT 'pg_catalog.pg_namespace'::regclass::oid AS class, n.oid, 0 AS sub, 'schema' AS kind,
  '' AS namespace, NULL::name AS parent, n.nspname AS name, NULL::text AS signature,
  -- public belongs to whoever the release of PostgreSQL says
  CASE WHEN n.nspname = 'public' AND (n.nspowner = 10 OR pg_get_userbyid(n.nspowner) = 'pg_database_owner')
    THEN 0 ELSE n.nspowner END AS owner,
  n.nspacl AS acl, 'n'::"char" AS acl_type, n.nspowner AS acl_owner
FROM namespace n
UNION ALL
SELECT 'pg_catalog.pg_class'::regclass, r.oid, 0,
  CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized-view' WHEN 'S' THEN 'sequence'
    WHEN 'f' THEN 'foreign-table' WHEN 'c' THEN 'type' ELSE 'table' END,
  r.namespace, NULL, r.relname, NULL,
  -- the sequence of a serial or identity column follows its table; a composite type's owner is the type's
  CASE WHEN r.relkind = 'c' OR EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE r.relkind = 'S' AND d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
  ) THEN 0 ELSE r.relowner END,
  r.relacl, CASE r.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, r.relowner
FROM relation r
UNION ALL
SELECT 'pg_catalog.pg_class'::regclass, r.oid, a.attnum, 'column', r.namespace, r.relname, a.attname, NULL,
  0, a.attacl, 'c', r.relowner
FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'pg_catalog.pg_class'::regclass, i.oid, 0, 'index', r.namespace, r.relname, i.relname, NULL,
  0, NULL, 'r', 0
FROM relation r JOIN pg_catalog.pg_index x ON x.indrelid = r.oid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
UNION ALL
SELECT 'pg_catalog.pg_constraint'::regclass, k.oid, 0, 'constraint', r.namespace, r.relname, k.conname, NULL,
  0, NULL, 'r', 0
FROM relation r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
UNION ALL
SELECT 'pg_catalog.pg_constraint'::regclass, k.oid, 0, 'constraint', t.namespace, t.name, k.conname, NULL,
  0, NULL, 'r', 0
FROM own_type t JOIN pg_catalog.pg_constraint k ON k.contypid = t.oid
WHERE t.typtype = 'd'
UNION ALL
SELECT 'pg_catalog.pg_trigger'::regclass, g.oid, 0, 'trigger', r.namespace, r.relname, g.tgname, NULL,
  0, NULL, 'r', 0
FROM relation r JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal
UNION ALL
SELECT 'pg_catalog.pg_rewrite'::regclass, w.oid, 0, 'rule', r.namespace, r.relname, w.rulename, NULL,
  0, NULL, 'r', 0
FROM relation r JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
UNION ALL
SELECT 'pg_catalog.pg_policy'::regclass, p.oid, 0, 'policy', r.namespace, r.relname, p.polname, NULL,
  0, NULL, 'r', 0
FROM relation r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT 'pg_catalog.pg_statistic_ext'::regclass, s.oid, 0, 'statistics', n.nspname, r.relname, s.stxname, NULL,
  s.stxowner, NULL, 'r', 0
FROM pg_catalog.pg_statistic_ext s JOIN relation r ON r.oid = s.stxrelid
JOIN namespace n ON n.oid = s.stxnamespace
UNION ALL
SELECT 'pg_catalog.pg_proc'::regclass, p.oid, 0, p.kind, p.namespace, NULL, p.name, p.signature,
  p.proowner, p.proacl, 'f', p.proowner
FROM routine p
UNION ALL
SELECT 'pg_catalog.pg_type'::regclass, t.oid, 0, t.kind, t.namespace, NULL, t.name, NULL,
  t.typowner, t.typacl, 'T', t.typowner
FROM own_type t
UNION ALL
SELECT 'pg_catalog.pg_collation'::regclass, c.oid, 0, 'collation', n.nspname, NULL, c.collname, NULL,
  c.collowner, NULL, 'r', 0
FROM pg_catalog.pg_collation c JOIN namespace n ON n.oid = c.collnamespace
WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_catalog.pg_collation'::regclass AND objid = c.oid)
UNION ALL
SELECT 'pg_catalog.pg_publication'::regclass, p.oid, 0, 'publication', '', NULL, p.pubname, NULL,
  p.pubowner, NULL, 'r', 0
FROM pg_catalog.pg_publication p
UNION ALL
SELECT 'pg_catalog.pg_event_trigger'::regclass, e.oid, 0, 'event-trigger', '', NULL, e.evtname, NULL,
  0, NULL, 'r', 0  -- always a superuser's
FROM pg_catalog.pg_event_trigger e
UNION ALL
SELECT 'pg_catalog.pg_extension'::regclass, e.oid, 0, 'extension', '', NULL, e.extname, NULL,
  0, NULL, 'r', 0  -- whose it is says who installed it
FROM pg_catalog.pg_extension e
UNION ALL
SELECT o.class, o.oid, 0, o.kind, o.namespace, NULL, o.name::name, o.signature, o.owner, o.acl, o.acl_type, o.acl_owner
FROM other_object o
