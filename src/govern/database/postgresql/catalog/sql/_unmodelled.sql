-- Kinds that the database has of its own but no query describes.
SELECT 'security label' AS kind
WHERE EXISTS (
  SELECT FROM pg_catalog.pg_seclabel s
  WHERE NOT EXISTS (SELECT FROM member WHERE member.classid = s.classoid AND member.objid = s.objoid)
)
UNION ALL
SELECT 'subscription'
WHERE EXISTS (
  SELECT FROM pg_catalog.pg_subscription s
  WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
)
ORDER BY kind
