SELECT
  '' AS namespace,
  e.evtname AS name,
  e.evtevent::text AS event,
  e.evtfoid::regprocedure::text AS function,
  e.evttags AS tags,
  CASE e.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END AS enabled
FROM pg_catalog.pg_event_trigger e
WHERE e.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_catalog.pg_event_trigger'::regclass)
