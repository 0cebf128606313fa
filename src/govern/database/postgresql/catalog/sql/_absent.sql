-- Kinds of which there is certainly nothing: their queries need not be planned. Those of initdb have oids below 16384.
SELECT v.kind FROM (VALUES
  ('aggregate', EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid >= 16384 AND prokind = 'a')),
  ('collation', EXISTS (SELECT FROM pg_catalog.pg_collation WHERE oid >= 16384)),
  ('default-privileges', EXISTS (SELECT FROM pg_catalog.pg_default_acl)),
  ('domain', EXISTS (SELECT FROM pg_catalog.pg_type WHERE oid >= 16384 AND typtype = 'd')),
  ('enum', EXISTS (SELECT FROM pg_catalog.pg_type WHERE oid >= 16384 AND typtype = 'e')),
  ('event-trigger', EXISTS (SELECT FROM pg_catalog.pg_event_trigger)),
  ('foreign-table', EXISTS (SELECT FROM pg_catalog.pg_foreign_table)),
  ('function', EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid >= 16384 AND prokind <> 'a')),
  -- schema public has privileges from initdb on
  ('grant', EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid >= 16384 AND relacl IS NOT NULL)
    OR EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid >= 16384 AND proacl IS NOT NULL)
    OR EXISTS (SELECT FROM pg_catalog.pg_type WHERE oid >= 16384 AND typacl IS NOT NULL)
    OR EXISTS (SELECT FROM pg_catalog.pg_language WHERE oid >= 16384 AND lanacl IS NOT NULL)
    OR EXISTS (SELECT FROM pg_catalog.pg_foreign_data_wrapper WHERE fdwacl IS NOT NULL)
    OR EXISTS (SELECT FROM pg_catalog.pg_foreign_server WHERE srvacl IS NOT NULL)
    OR EXISTS (
      SELECT FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_init_privs p
        ON p.classoid = 'pg_catalog.pg_namespace'::regclass AND p.objoid = n.oid
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND n.nspacl::text IS DISTINCT FROM p.initprivs::text
    )
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid >= 16384 AND attacl IS NOT NULL)),
  ('materialized-view', EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind = 'm')),
  ('policy', EXISTS (SELECT FROM pg_catalog.pg_policy)),
  ('publication', EXISTS (SELECT FROM pg_catalog.pg_publication)),
  ('rule', EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE oid >= 16384 AND rulename <> '_RETURN')),
  ('sequence', EXISTS (SELECT FROM pg_catalog.pg_sequence)),
  ('statistics', EXISTS (SELECT FROM pg_catalog.pg_statistic_ext)),
  ('storage', EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid >= 16384 AND reltablespace <> 0)),
  ('trigger', EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgparentid <> 0 OR NOT tgisinternal)),
  ('type', EXISTS (
    SELECT FROM pg_catalog.pg_type
    WHERE oid >= 16384 AND (typtype IN ('r', 'p') OR typtype = 'b' AND typcategory <> 'A')
  ) OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind = 'c')),
  ('user-mapping', EXISTS (SELECT FROM pg_catalog.pg_foreign_server)),
  ('view', EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind = 'v')),
  -- all kinds that are read with other_object, or by its raw rows
  ('other', EXISTS (SELECT FROM pg_catalog.pg_am WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_cast WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_conversion WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_foreign_data_wrapper)
    OR EXISTS (SELECT FROM pg_catalog.pg_language WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_operator WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_opfamily WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_opclass WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_amop WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_amproc WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_transform)
    OR EXISTS (SELECT FROM pg_catalog.pg_ts_config WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_ts_dict WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_ts_parser WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_ts_template WHERE oid >= 16384))
) v(kind, is_there)
WHERE NOT v.is_there
