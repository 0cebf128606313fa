-- OPTIONS of foreign data, sorted. A secret is never read: '***' stands there, also for a whole value that has a
-- password in it.
SELECT o.class, o.oid, array_agg(
  quote_ident(item.option_name) || ' ' || CASE
    WHEN item.option_name ~* 'pass|pwd|secret|token|credential|private_*key|api_*key|access_*key'
      OR item.option_value ~ '://[^/@:]*:[^/@]*@'
      OR item.option_value ~* '(password|passwd|pwd|secret|token) *='
    THEN quote_literal('***') ELSE quote_literal(item.option_value)
  END ORDER BY item.option_name
) AS texts
FROM (
  SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass::oid AS class, oid, fdwoptions AS options
  FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL SELECT 'pg_catalog.pg_foreign_server'::regclass, oid, srvoptions FROM pg_catalog.pg_foreign_server
  -- the view hides what the role may not see; the table would be refused
  UNION ALL SELECT 'pg_catalog.pg_user_mapping'::regclass, umid, umoptions FROM pg_catalog.pg_user_mappings
  UNION ALL SELECT 'pg_catalog.pg_foreign_table'::regclass, ftrelid, ftoptions FROM pg_catalog.pg_foreign_table
) o
CROSS JOIN LATERAL pg_options_to_table(o.options) item
GROUP BY o.class, o.oid
