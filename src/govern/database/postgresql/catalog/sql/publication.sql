-- Schemas are found through dependencies: their own catalog came with PostgreSQL 15, as did prqual and prattrs.
SELECT
  '' AS namespace,
  p.pubname AS name,
  CASE WHEN p.puballtables THEN true END AS all_tables,
  concat_ws(', ',
    CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
    CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END
  ) AS operations,
  CASE WHEN p.pubviaroot THEN true END AS via_root,
  nullif(p.generated, 'n') AS generated_columns,
  tables.texts AS tables,
  schemas.names AS schemas
FROM (SELECT NULL::text AS pubgencols) absent
CROSS JOIN LATERAL (SELECT own.*, pubgencols::text AS generated FROM pg_catalog.pg_publication own) p
LEFT JOIN LATERAL (
  SELECT array_agg(concat_ws(' ', m.prrelid::regclass::text, listed.columns, 'WHERE ' || m.condition)
    ORDER BY m.prrelid::regclass::text COLLATE "C") AS texts
  FROM (SELECT NULL::int2vector AS prattrs, NULL::pg_node_tree AS prqual) absent
  CROSS JOIN LATERAL (
    SELECT own.prrelid, prattrs AS attributes, pg_get_expr(prqual, own.prrelid) AS condition
    FROM pg_catalog.pg_publication_rel own WHERE own.prpubid = p.oid
  ) m
  LEFT JOIN LATERAL (
    SELECT '(' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) || ')' AS columns
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = m.prrelid AND a.attnum = ANY (m.attributes)
  ) listed ON true
) tables ON true
LEFT JOIN LATERAL (
  SELECT array_agg(n.nspname::text ORDER BY n.nspname) AS names
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_depend e ON e.classid = d.classid AND e.objid = d.objid
  JOIN pg_catalog.pg_namespace n ON n.oid = e.refobjid
  WHERE d.refclassid = 'pg_catalog.pg_publication'::regclass AND d.refobjid = p.oid
    AND e.refclassid = 'pg_catalog.pg_namespace'::regclass
) schemas ON true
WHERE p.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_catalog.pg_publication'::regclass)
