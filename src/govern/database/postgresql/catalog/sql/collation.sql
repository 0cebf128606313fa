-- The column for an ICU locale was renamed twice; the version belongs to the operating system.
SELECT
  n.nspname AS namespace,
  c.collname AS name,
  CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc' WHEN 'b' THEN 'builtin' END AS provider,
  coalesce(c.newest, c.newer, CASE c.collprovider WHEN 'i' THEN nullif(c.collcollate, '') END) AS locale,
  CASE WHEN c.collprovider = 'c' THEN c.collcollate END AS collate,
  CASE WHEN c.collprovider = 'c' THEN c.collctype END AS ctype,
  c.rules,
  CASE WHEN NOT c.collisdeterministic THEN false END AS deterministic
FROM (SELECT NULL::text AS colllocale, NULL::text AS colliculocale, NULL::text AS collicurules) absent
CROSS JOIN LATERAL (
  SELECT own.oid, own.collname, own.collnamespace, own.collprovider, own.collisdeterministic, own.collcollate::text, own.collctype::text,
    colllocale AS newest, colliculocale AS newer, collicurules AS rules
  FROM pg_catalog.pg_collation own
) c
JOIN namespace n ON n.oid = c.collnamespace
WHERE c.oid >= 16384 AND c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_catalog.pg_collation'::regclass)
