-- Kinds that the database has of its own but no query describes. Objects of initdb have oids below 16384.
SELECT kind FROM (
  SELECT 'access method' AS kind, 'pg_catalog.pg_am'::regclass AS class, oid FROM pg_catalog.pg_am
  UNION ALL SELECT 'base type', 'pg_catalog.pg_type'::regclass, t.oid
    FROM pg_catalog.pg_type t WHERE t.typtype IN ('b', 'p') AND t.typcategory <> 'A'
  UNION ALL SELECT 'cast', 'pg_catalog.pg_cast'::regclass, oid FROM pg_catalog.pg_cast
  UNION ALL SELECT 'conversion', 'pg_catalog.pg_conversion'::regclass, oid FROM pg_catalog.pg_conversion
  UNION ALL SELECT 'foreign data wrapper', 'pg_catalog.pg_foreign_data_wrapper'::regclass, oid
    FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL SELECT 'foreign server', 'pg_catalog.pg_foreign_server'::regclass, oid
    FROM pg_catalog.pg_foreign_server
  UNION ALL SELECT 'foreign table', 'pg_catalog.pg_class'::regclass, oid
    FROM pg_catalog.pg_class WHERE relkind = 'f'
  UNION ALL SELECT 'language', 'pg_catalog.pg_language'::regclass, oid FROM pg_catalog.pg_language
  UNION ALL SELECT 'operator', 'pg_catalog.pg_operator'::regclass, oid FROM pg_catalog.pg_operator
  UNION ALL SELECT 'operator class', 'pg_catalog.pg_opclass'::regclass, oid FROM pg_catalog.pg_opclass
  UNION ALL SELECT 'operator family', 'pg_catalog.pg_opfamily'::regclass, oid FROM pg_catalog.pg_opfamily
  UNION ALL SELECT 'security label', s.classoid, s.objoid FROM pg_catalog.pg_seclabel s
  UNION ALL SELECT 'subscription', 'pg_catalog.pg_subscription'::regclass, s.oid
    FROM pg_catalog.pg_subscription s
    WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
  UNION ALL SELECT 'text search', 'pg_catalog.pg_ts_config'::regclass, oid FROM pg_catalog.pg_ts_config
  UNION ALL SELECT 'text search', 'pg_catalog.pg_ts_dict'::regclass, oid FROM pg_catalog.pg_ts_dict
  UNION ALL SELECT 'text search', 'pg_catalog.pg_ts_parser'::regclass, oid FROM pg_catalog.pg_ts_parser
  UNION ALL SELECT 'text search', 'pg_catalog.pg_ts_template'::regclass, oid FROM pg_catalog.pg_ts_template
  UNION ALL SELECT 'transform', 'pg_catalog.pg_transform'::regclass, oid FROM pg_catalog.pg_transform
  UNION ALL SELECT 'user mapping', 'pg_catalog.pg_user_mapping'::regclass, umid
    FROM pg_catalog.pg_user_mappings
) found
WHERE found.oid >= 16384
  AND NOT EXISTS (SELECT FROM member WHERE classid = found.class AND objid = found.oid)
GROUP BY kind
ORDER BY kind
