-- OPTIONS of foreign data, sorted. A secret is never read: it stands there as '***', and so do the passwords
-- in the values of others.
SELECT o.class, o.oid, array_agg(
  quote_ident(item.option_name) || ' ' || CASE
    WHEN item.option_name ~* 'pass|pwd|secret|token|credential|private_?key|api_?key|access_?key' THEN '''***'''
    ELSE quote_literal(regexp_replace(regexp_replace(
      item.option_value, '(://[^/@:]*):[^/@]*@', '\1:***@', 'g'
    ), '((password|passwd|pwd|secret|token)\s*=\s*)[^ ;&]+', '\1***', 'gi'))
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
