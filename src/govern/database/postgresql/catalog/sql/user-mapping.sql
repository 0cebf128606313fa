-- The server's name, and the role's. Through the view: only a superuser may read the table.
SELECT
  '' AS namespace,
  m.srvname AS name,
  CASE WHEN m.umuser = 0 THEN 'PUBLIC' WHEN m.umuser = usual.role THEN '(owner)'
    ELSE pg_get_userbyid(m.umuser)::text END AS grantee,
  option.texts AS options
FROM pg_catalog.pg_user_mappings m
CROSS JOIN usual
LEFT JOIN foreign_option option
  ON option.class = 'pg_catalog.pg_user_mapping'::regclass AND option.oid = m.umid
WHERE m.umid NOT IN (SELECT objid FROM member WHERE classid = 'pg_catalog.pg_user_mapping'::regclass)
