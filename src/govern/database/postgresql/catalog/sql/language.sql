-- Those made by hand: a language usually comes with an extension.
SELECT
  o.namespace,
  o.name,
  CASE WHEN l.lanpltrusted THEN true END AS trusted,
  nullif(l.lanplcallfoid, 0)::regproc::text AS handler,
  nullif(l.laninline, 0)::regproc::text AS inline,
  nullif(l.lanvalidator, 0)::regproc::text AS validator
FROM other_object o
JOIN pg_catalog.pg_language l ON l.oid = o.oid
WHERE o.kind = 'language'
