-- Configurations, dictionaries, parsers and templates; which of them it is stands before the name.
SELECT
  o.namespace,
  o.name,
  (
    SELECT quote_ident(n.nspname) || '.' || quote_ident(p.prsname)
    FROM pg_catalog.pg_ts_parser p JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace
    WHERE p.oid = c.cfgparser
  ) AS parser,
  mappings.texts AS mappings,
  (
    SELECT quote_ident(n.nspname) || '.' || quote_ident(t.tmplname)
    FROM pg_catalog.pg_ts_template t JOIN pg_catalog.pg_namespace n ON n.oid = t.tmplnamespace
    WHERE t.oid = d.dicttemplate
  ) AS template,
  d.dictinitoption AS options,
  nullif(t.tmplinit, 0)::regproc::text AS init,
  nullif(t.tmpllexize, 0)::regproc::text AS lexize,
  nullif(p.prsstart, 0)::regproc::text AS start,
  nullif(p.prstoken, 0)::regproc::text AS token,
  nullif(p.prsend, 0)::regproc::text AS "end",
  nullif(p.prsheadline, 0)::regproc::text AS headline,
  nullif(p.prslextype, 0)::regproc::text AS token_types
FROM other_object o
LEFT JOIN pg_catalog.pg_ts_config c ON o.class = 'pg_catalog.pg_ts_config'::regclass AND c.oid = o.oid
LEFT JOIN pg_catalog.pg_ts_dict d ON o.class = 'pg_catalog.pg_ts_dict'::regclass AND d.oid = o.oid
LEFT JOIN pg_catalog.pg_ts_parser p ON o.class = 'pg_catalog.pg_ts_parser'::regclass AND p.oid = o.oid
LEFT JOIN pg_catalog.pg_ts_template t ON o.class = 'pg_catalog.pg_ts_template'::regclass AND t.oid = o.oid
LEFT JOIN LATERAL (
  SELECT array_agg(item.alias || ': ' || item.dictionaries ORDER BY item.alias) AS texts
  FROM (
    SELECT token.alias, string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS dictionaries
    FROM ts_token_type(c.cfgparser) token
    JOIN pg_catalog.pg_ts_config_map m ON m.mapcfg = c.oid AND m.maptokentype = token.tokid
    GROUP BY token.alias
  ) item
) mappings ON c.oid IS NOT NULL
WHERE o.kind = 'text-search'
