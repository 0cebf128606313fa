-- What operator families hold, each with the operator class that it came with; none for what was added alone.
SELECT e.family, coalesce(d.refobjid, 0) AS class, e.is_operator, e.number, e.text
FROM (
  SELECT 'pg_catalog.pg_amop'::regclass AS source, p.oid, p.amopfamily AS family, true AS is_operator,
    p.amopstrategy AS number, concat_ws(' ', p.amopstrategy, p.amopopr::regoperator,
      'FOR ORDER BY ' || (
        SELECT quote_ident(n.nspname) || '.' || quote_ident(f.opfname)
        FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
        WHERE p.amoppurpose = 'o' AND f.oid = p.amopsortfamily
      ),
      -- where the family takes them for others than the operator has
      CASE WHEN (p.amoplefttype, p.amoprighttype) <> (o.oprleft, o.oprright)
        THEN 'AS (' || format_type(p.amoplefttype, NULL) || ', ' || format_type(p.amoprighttype, NULL) || ')' END
    ) AS text
  FROM pg_catalog.pg_amop p JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr
  WHERE p.oid >= 16384
  UNION ALL
  SELECT 'pg_catalog.pg_amproc'::regclass, p.oid, p.amprocfamily, false, p.amprocnum,
    concat(p.amprocnum, ' (', format_type(p.amproclefttype, NULL), ', ', format_type(p.amprocrighttype, NULL), ') ',
      p.amproc::regprocedure)
  FROM pg_catalog.pg_amproc p
  WHERE p.oid >= 16384
) e
LEFT JOIN pg_catalog.pg_depend d ON d.classid = e.source AND d.objid = e.oid
  AND d.refclassid = 'pg_catalog.pg_opclass'::regclass
