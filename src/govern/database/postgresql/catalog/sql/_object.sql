-- Everything that can have an owner, privileges or a comment of its own, but for what is inside of a table and can
-- only have a comment (described_part); of columns those with privileges.
SELECT 'pg_catalog.pg_namespace'::regclass::oid AS class, n.oid, 0 AS sub, 'schema'::text AS kind,
  ''::name AS namespace, NULL::name AS parent, n.nspname AS name, NULL::text AS signature,
  -- public belongs to whoever the release of PostgreSQL says
  CASE WHEN n.nspname = 'public' AND (n.nspowner = 10 OR pg_get_userbyid(n.nspowner) = 'pg_database_owner')
    THEN 0::oid ELSE n.nspowner END AS owner,
  n.nspacl AS acl, 'n'::"char" AS acl_type, n.nspowner AS acl_owner
FROM namespace n
UNION ALL
SELECT 'pg_catalog.pg_class'::regclass::oid, r.oid, 0,
  CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized-view' WHEN 'S' THEN 'sequence'
    WHEN 'f' THEN 'foreign-table' WHEN 'c' THEN 'type' ELSE 'table' END,
  r.namespace, NULL::name, r.relname, NULL::text,
  CASE r.relkind WHEN 'c' THEN 0::oid ELSE r.relowner END,  -- a composite type's owner is the type's
  r.relacl, CASE r.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, r.relowner
FROM relation r
UNION ALL
SELECT 'pg_catalog.pg_class'::regclass::oid, r.oid, a.attnum::integer, 'column'::text, r.namespace, r.relname,
  a.attname, NULL::text, 0::oid, a.attacl, 'c'::"char", r.relowner
FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE a.attacl IS NOT NULL
UNION ALL
SELECT 'pg_catalog.pg_statistic_ext'::regclass::oid, s.oid, 0, 'statistics'::text, n.nspname, r.relname, s.stxname,
  NULL::text, s.stxowner, NULL::aclitem[], 'r'::"char", 0::oid
FROM pg_catalog.pg_statistic_ext s JOIN relation r ON r.oid = s.stxrelid
JOIN namespace n ON n.oid = s.stxnamespace
UNION ALL
SELECT 'pg_catalog.pg_proc'::regclass::oid, p.oid, 0, p.kind, p.namespace, NULL::name, p.name, p.signature,
  p.proowner, p.proacl, 'f'::"char", p.proowner
FROM routine p
UNION ALL
SELECT 'pg_catalog.pg_type'::regclass::oid, t.oid, 0, t.kind, t.namespace, NULL::name, t.name, NULL::text,
  t.typowner, t.typacl, 'T'::"char", t.typowner
FROM own_type t
UNION ALL
SELECT 'pg_catalog.pg_collation'::regclass::oid, c.oid, 0, 'collation'::text, n.nspname, NULL::name, c.collname,
  NULL::text, c.collowner, NULL::aclitem[], 'r'::"char", 0::oid
FROM pg_catalog.pg_collation c JOIN namespace n ON n.oid = c.collnamespace
WHERE c.oid >= 16384
  AND c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_catalog.pg_collation'::regclass)
UNION ALL
SELECT 'pg_catalog.pg_publication'::regclass::oid, p.oid, 0, 'publication'::text, ''::name, NULL::name, p.pubname,
  NULL::text, p.pubowner, NULL::aclitem[], 'r'::"char", 0::oid
FROM pg_catalog.pg_publication p
UNION ALL
SELECT 'pg_catalog.pg_event_trigger'::regclass::oid, e.oid, 0, 'event-trigger'::text, ''::name, NULL::name, e.evtname,
  NULL::text, 0::oid, NULL::aclitem[], 'r'::"char", 0::oid  -- always a superuser's
FROM pg_catalog.pg_event_trigger e
UNION ALL
SELECT 'pg_catalog.pg_extension'::regclass::oid, e.oid, 0, 'extension'::text, ''::name, NULL::name, e.extname,
  NULL::text, 0::oid, NULL::aclitem[], 'r'::"char", 0::oid  -- whose it is says who installed it
FROM pg_catalog.pg_extension e
UNION ALL
SELECT o.class, o.oid, 0, o.kind, o.namespace::name, NULL::name, o.name::name, o.signature, o.owner, o.acl, o.acl_type,
  o.acl_owner
FROM other_object o
