SELECT
  r.namespace,
  r.relname AS parent,
  w.rulename AS name,
  pg_get_ruledef(w.oid) AS definition,
  CASE w.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END AS enabled
FROM relation r
JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid
WHERE w.rulename <> '_RETURN'
