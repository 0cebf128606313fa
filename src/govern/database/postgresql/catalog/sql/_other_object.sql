-- The kinds that few databases have. Those of initdb have oids below 16384.
SELECT found.*, coalesce(n.nspname, '') AS namespace FROM (
  SELECT 'pg_catalog.pg_am'::regclass::oid AS class, oid, 'access-method' AS kind, 0 AS space,
    amname::text AS name, NULL::text AS signature, 0 AS owner, NULL::aclitem[] AS acl, 'r'::"char" AS acl_type,
    0 AS acl_owner
  FROM pg_catalog.pg_am
  UNION ALL
  SELECT 'pg_catalog.pg_cast'::regclass, oid, 'cast', 0,
    format_type(castsource, NULL) || ' AS ' || format_type(casttarget, NULL), NULL, 0, NULL, 'r', 0
  FROM pg_catalog.pg_cast
  UNION ALL
  SELECT 'pg_catalog.pg_conversion'::regclass, oid, 'conversion', connamespace, conname, NULL, conowner, NULL, 'r', 0
  FROM pg_catalog.pg_conversion
  UNION ALL  -- always a superuser's
  SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass, oid, 'foreign-data-wrapper', 0, fdwname, NULL, 0,
    fdwacl, 'F', fdwowner
  FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL
  SELECT 'pg_catalog.pg_foreign_server'::regclass, oid, 'foreign-server', 0, srvname, NULL, srvowner, srvacl, 'S', srvowner
  FROM pg_catalog.pg_foreign_server
  UNION ALL
  SELECT 'pg_catalog.pg_language'::regclass, oid, 'language', 0, lanname, NULL, lanowner, lanacl, 'l', lanowner
  FROM pg_catalog.pg_language
  UNION ALL  -- an operator without a function was only named, as the counterpart of another
  SELECT 'pg_catalog.pg_operator'::regclass, oid, 'operator', oprnamespace, oprname,
    CASE WHEN oprleft = 0 THEN 'NONE' ELSE format_type(oprleft, NULL) END || ', '
      || CASE WHEN oprright = 0 THEN 'NONE' ELSE format_type(oprright, NULL) END, oprowner, NULL, 'r', 0
  FROM pg_catalog.pg_operator WHERE oprcode <> 0
  UNION ALL
  SELECT 'pg_catalog.pg_opclass'::regclass, c.oid, 'operator-class', opcnamespace, opcname, amname, opcowner, NULL, 'r', 0
  FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_am a ON a.oid = c.opcmethod
  UNION ALL
  SELECT 'pg_catalog.pg_opfamily'::regclass, f.oid, 'operator-family', opfnamespace, opfname, amname, opfowner, NULL, 'r', 0
  FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_am a ON a.oid = f.opfmethod
  UNION ALL
  SELECT 'pg_catalog.pg_transform'::regclass, t.oid, 'transform', 0,
    format_type(trftype, NULL) || ' language ' || quote_ident(lanname), NULL, 0, NULL, 'r', 0
  FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang
  UNION ALL
  SELECT 'pg_catalog.pg_ts_config'::regclass, oid, 'text-search', cfgnamespace,
    'configuration ' || quote_ident(cfgname), NULL, cfgowner, NULL, 'r', 0
  FROM pg_catalog.pg_ts_config
  UNION ALL
  SELECT 'pg_catalog.pg_ts_dict'::regclass, oid, 'text-search', dictnamespace,
    'dictionary ' || quote_ident(dictname), NULL, dictowner, NULL, 'r', 0
  FROM pg_catalog.pg_ts_dict
  UNION ALL
  SELECT 'pg_catalog.pg_ts_parser'::regclass, oid, 'text-search', prsnamespace,
    'parser ' || quote_ident(prsname), NULL, 0, NULL, 'r', 0
  FROM pg_catalog.pg_ts_parser
  UNION ALL
  SELECT 'pg_catalog.pg_ts_template'::regclass, oid, 'text-search', tmplnamespace,
    'template ' || quote_ident(tmplname), NULL, 0, NULL, 'r', 0
  FROM pg_catalog.pg_ts_template
) found
LEFT JOIN namespace n ON n.oid = found.space
WHERE found.oid >= 16384 AND (found.space = 0 OR n.oid IS NOT NULL)
  AND (found.class, found.oid) NOT IN (SELECT classid, objid FROM member)
  AND (found.class, found.oid) NOT IN (SELECT classid, objid FROM range_member)
