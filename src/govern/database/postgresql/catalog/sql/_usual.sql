-- Role names differ between environments: who owns most relations is the usual owner and is never named.
SELECT coalesce(
  (SELECT r.relowner FROM relation r GROUP BY r.relowner ORDER BY count(*) DESC, r.relowner LIMIT 1),
  (SELECT d.datdba FROM pg_catalog.pg_database d WHERE d.datname = current_database())
) AS role
