-- All that other_object and the kinds made of it are read from, as it lies there: for a digest, which is planned
-- in a third of the time of the queries themselves.
SELECT 'pg_am' AS source, t::text AS text FROM pg_catalog.pg_am t WHERE oid >= 16384
UNION ALL SELECT 'pg_cast', t::text FROM pg_catalog.pg_cast t WHERE oid >= 16384
UNION ALL SELECT 'pg_conversion', t::text FROM pg_catalog.pg_conversion t WHERE oid >= 16384
UNION ALL SELECT 'pg_foreign_data_wrapper', t::text FROM pg_catalog.pg_foreign_data_wrapper t
UNION ALL SELECT 'pg_foreign_server', t::text FROM pg_catalog.pg_foreign_server t
UNION ALL SELECT 'pg_language', t::text FROM pg_catalog.pg_language t WHERE oid >= 16384
UNION ALL SELECT 'pg_operator', t::text FROM pg_catalog.pg_operator t WHERE oid >= 16384
UNION ALL SELECT 'pg_opclass', t::text FROM pg_catalog.pg_opclass t WHERE oid >= 16384
UNION ALL SELECT 'pg_opfamily', t::text FROM pg_catalog.pg_opfamily t WHERE oid >= 16384
UNION ALL SELECT 'pg_amop', t::text FROM pg_catalog.pg_amop t WHERE oid >= 16384
UNION ALL SELECT 'pg_amproc', t::text FROM pg_catalog.pg_amproc t WHERE oid >= 16384
UNION ALL SELECT 'pg_transform', t::text FROM pg_catalog.pg_transform t
UNION ALL SELECT 'pg_ts_config', t::text FROM pg_catalog.pg_ts_config t WHERE oid >= 16384
UNION ALL SELECT 'pg_ts_config_map', t::text FROM pg_catalog.pg_ts_config_map t WHERE mapcfg >= 16384
UNION ALL SELECT 'pg_ts_dict', t::text FROM pg_catalog.pg_ts_dict t WHERE oid >= 16384
UNION ALL SELECT 'pg_ts_parser', t::text FROM pg_catalog.pg_ts_parser t WHERE oid >= 16384
UNION ALL SELECT 'pg_ts_template', t::text FROM pg_catalog.pg_ts_template t WHERE oid >= 16384
UNION ALL SELECT 'pg_description', t::text FROM pg_catalog.pg_description t WHERE objoid >= 16384 AND classoid IN (
  'pg_catalog.pg_am'::regclass, 'pg_catalog.pg_cast'::regclass, 'pg_catalog.pg_conversion'::regclass,
  'pg_catalog.pg_foreign_data_wrapper'::regclass, 'pg_catalog.pg_foreign_server'::regclass,
  'pg_catalog.pg_language'::regclass, 'pg_catalog.pg_operator'::regclass, 'pg_catalog.pg_opclass'::regclass,
  'pg_catalog.pg_opfamily'::regclass, 'pg_catalog.pg_transform'::regclass, 'pg_catalog.pg_ts_config'::regclass,
  'pg_catalog.pg_ts_dict'::regclass, 'pg_catalog.pg_ts_parser'::regclass, 'pg_catalog.pg_ts_template'::regclass
)
