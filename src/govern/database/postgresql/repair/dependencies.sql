-- Who cannot exist without whom, by name. What has no name of its own in a snapshot stands under the name of
-- what it belongs to: a default under its column, a view's rule under the view, a constraint's index under the
-- constraint, a row or array type under the relation or element type, an extension's member under the extension.
SELECT * FROM (WITH inside AS (
  SELECT 'pg_catalog.pg_class'::regclass::oid AS class, r.oid, a.attnum::integer AS sub, 'column'::text AS kind,
    r.namespace, r.relname AS parent, a.attname AS name
  FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT 'pg_catalog.pg_class'::regclass::oid, i.oid, 0, 'index', r.namespace, r.relname, i.relname
  FROM relation r JOIN pg_catalog.pg_index x ON x.indrelid = r.oid
  JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
  UNION ALL
  SELECT 'pg_catalog.pg_constraint'::regclass::oid, k.oid, 0, 'constraint', r.namespace, r.relname, k.conname
  FROM relation r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
  UNION ALL
  SELECT 'pg_catalog.pg_constraint'::regclass::oid, k.oid, 0, 'constraint', t.namespace, t.name, k.conname
  FROM own_type t JOIN pg_catalog.pg_constraint k ON k.contypid = t.oid WHERE t.typtype = 'd'
  UNION ALL
  SELECT 'pg_catalog.pg_trigger'::regclass::oid, g.oid, 0, 'trigger', r.namespace, r.relname, g.tgname
  FROM relation r JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal
  UNION ALL
  SELECT 'pg_catalog.pg_rewrite'::regclass::oid, w.oid, 0, 'rule', r.namespace, r.relname, w.rulename
  FROM relation r JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
  UNION ALL
  SELECT 'pg_catalog.pg_policy'::regclass::oid, p.oid, 0, 'policy', r.namespace, r.relname, p.polname
  FROM relation r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
), place AS (
  SELECT o.class, o.oid, o.sub, o.kind, o.namespace, o.parent::text, o.name::text, o.signature
  FROM (
    SELECT i.*, NULL::text AS signature FROM inside i
    UNION ALL
    SELECT class, oid, sub, kind, namespace, parent, name, signature FROM object WHERE kind <> 'column'
  ) o
  WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint k
    WHERE o.kind = 'index' AND k.conindid = o.oid AND k.contype IN ('p', 'u', 'x')
  ) AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE o.kind = 'sequence' AND d.classid = o.class AND d.objid = o.oid AND d.refclassid = o.class AND d.deptype = 'i'
  )
), alias AS (
  SELECT 'pg_catalog.pg_rewrite'::regclass::oid AS class, w.oid, 'pg_catalog.pg_class'::regclass::oid AS own_class,
    w.ev_class AS own_oid, 0 AS own_sub
  FROM pg_catalog.pg_rewrite w WHERE w.rulename = '_RETURN'
  UNION ALL
  SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid, 'pg_catalog.pg_class'::regclass, d.adrelid, d.adnum
  FROM pg_catalog.pg_attrdef d
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
  UNION ALL
  SELECT 'pg_catalog.pg_type'::regclass, c.reltype, 'pg_catalog.pg_class'::regclass, c.oid, 0
  FROM pg_catalog.pg_class c WHERE c.reltype <> 0 AND c.relkind <> 'c'
  UNION ALL
  SELECT 'pg_catalog.pg_class'::regclass, c.oid, 'pg_catalog.pg_type'::regclass, c.reltype, 0
  FROM pg_catalog.pg_class c WHERE c.relkind = 'c'
  UNION ALL
  SELECT 'pg_catalog.pg_type'::regclass, t.typarray, 'pg_catalog.pg_type'::regclass, t.oid, 0
  FROM pg_catalog.pg_type t WHERE t.typarray <> 0 AND t.typrelid = 0 OR t.typtype = 'c'
  UNION ALL
  SELECT 'pg_catalog.pg_type'::regclass, c_type.typarray, 'pg_catalog.pg_class'::regclass, c.oid, 0
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_type c_type ON c_type.oid = c.reltype
  WHERE c.relkind <> 'c' AND c_type.typarray <> 0
  UNION ALL
  SELECT d.classid, d.objid, d.refclassid, d.refobjid, 0  -- a multirange type
  FROM pg_catalog.pg_depend d
  WHERE d.deptype = 'i' AND d.classid = 'pg_catalog.pg_type'::regclass AND d.refclassid = d.classid
  UNION ALL
  SELECT 'pg_catalog.pg_class'::regclass, k.conindid, 'pg_catalog.pg_constraint'::regclass, k.oid, 0
  FROM pg_catalog.pg_constraint k WHERE k.conindid <> 0 AND k.contype IN ('p', 'u', 'x')
  UNION ALL
  SELECT 'pg_catalog.pg_constraint'::regclass, k.oid, 'pg_catalog.pg_type'::regclass, k.contypid, 0
  FROM pg_catalog.pg_constraint k WHERE k.contypid <> 0
  UNION ALL
  SELECT 'pg_catalog.pg_trigger'::regclass, g.oid, 'pg_catalog.pg_constraint'::regclass, g.tgconstraint, 0
  FROM pg_catalog.pg_trigger g WHERE g.tgisinternal AND g.tgconstraint <> 0
  UNION ALL
  SELECT d.classid, d.objid, d.refclassid, d.refobjid, 0
  FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_publication'::regclass
  UNION ALL
  SELECT d.classid, d.objid, d.refclassid, d.refobjid, 0  -- an entry of an operator class or family
  FROM pg_catalog.pg_depend d
  WHERE d.classid IN ('pg_catalog.pg_amop'::regclass, 'pg_catalog.pg_amproc'::regclass)
    AND d.refclassid IN ('pg_catalog.pg_opclass'::regclass, 'pg_catalog.pg_opfamily'::regclass)
    AND d.deptype IN ('a', 'i')
  UNION ALL
  SELECT d.classid, d.objid, d.refclassid, d.refobjid, d.refobjsubid  -- an identity column's sequence
  FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.objid
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = d.classid AND d.deptype = 'i'
), named AS (
  SELECT p.* FROM place p
  UNION ALL
  SELECT alias.class, alias.oid, 0, p.kind, p.namespace, p.parent, p.name, p.signature
  FROM alias JOIN place p ON p.class = alias.own_class AND p.oid = alias.own_oid AND p.sub = alias.own_sub
  UNION ALL
  SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid, 0, 'default', p.namespace, p.parent, p.name, NULL
  FROM pg_catalog.pg_attrdef d
  JOIN place p ON p.class = 'pg_catalog.pg_class'::regclass AND p.oid = d.adrelid AND p.sub = d.adnum
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated = ''
  UNION ALL
  SELECT 'pg_catalog.pg_extension'::regclass, e.oid, 0, 'extension', '', NULL, e.extname::text, NULL
  FROM pg_catalog.pg_extension e
  UNION ALL
  SELECT d.classid, d.objid, 0, 'extension', '', NULL, e.extname::text, NULL
  FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
  WHERE d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::regclass
), edge AS (
  SELECT
    CASE WHEN a.kind = 'sequence' AND d.deptype = 'a' AND d.refobjsubid <> 0 THEN 'owned' ELSE a.kind END AS a_kind,
    a.namespace AS a_namespace, a.parent AS a_parent, a.name AS a_name, a.signature AS a_signature,
    b.kind AS b_kind, b.namespace AS b_namespace, b.parent AS b_parent, b.name AS b_name, b.signature AS b_signature
  FROM pg_catalog.pg_depend d
  JOIN named a ON a.class = d.classid AND a.oid = d.objid AND a.sub = d.objsubid
  LEFT JOIN named exact ON exact.class = d.refclassid AND exact.oid = d.refobjid AND exact.sub = d.refobjsubid
  LEFT JOIN named whole ON whole.class = d.refclassid AND whole.oid = d.refobjid AND whole.sub = 0
  CROSS JOIN LATERAL (
    SELECT exact.kind, exact.namespace, exact.parent, exact.name, exact.signature
    WHERE exact.kind IS NOT NULL AND (exact.kind <> 'column' OR whole.kind IN ('table', 'foreign-table'))
    UNION ALL
    SELECT whole.kind, whole.namespace, whole.parent, whole.name, whole.signature
    WHERE exact.kind IS NULL OR exact.kind = 'column' AND whole.kind NOT IN ('table', 'foreign-table')
  ) b
  WHERE b.kind IS NOT NULL AND d.deptype <> 'e'
  UNION ALL
  -- an inherited column goes with its parent's
  SELECT 'column', child.namespace, child.parent, child.name, NULL, 'column', above.namespace, above.parent, above.name, NULL
  FROM pg_catalog.pg_inherits i
  JOIN place child ON child.class = 'pg_catalog.pg_class'::regclass AND child.oid = i.inhrelid AND child.kind = 'column'
  JOIN place above ON above.class = child.class AND above.oid = i.inhparent AND above.kind = 'column'
    AND above.name = child.name
)
SELECT DISTINCT * FROM edge) found
