SELECT
  n.nspname AS namespace,
  r.relname AS parent,
  s.stxname AS name,
  pg_get_statisticsobjdef(s.oid) AS definition,
  CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget::integer END AS target
FROM pg_catalog.pg_statistic_ext s
JOIN relation r ON r.oid = s.stxrelid
JOIN namespace n ON n.oid = s.stxnamespace
