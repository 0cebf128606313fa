-- What CREATE SEQUENCE was told beyond its defaults, as it would say it.
SELECT s.seqrelid, s.seqtypid, nullif(concat_ws(' ',
  CASE WHEN s.seqincrement <> 1 THEN 'INCREMENT BY ' || s.seqincrement END,
  CASE WHEN s.seqmin <> b.lowest THEN 'MINVALUE ' || s.seqmin END,
  CASE WHEN s.seqmax <> b.highest THEN 'MAXVALUE ' || s.seqmax END,
  CASE WHEN s.seqstart <> CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END
    THEN 'START WITH ' || s.seqstart END,
  CASE WHEN s.seqcache <> 1 THEN 'CACHE ' || s.seqcache END,
  CASE WHEN s.seqcycle THEN 'CYCLE' END
), '') AS text
FROM pg_catalog.pg_sequence s
CROSS JOIN LATERAL (
  SELECT CASE s.seqtypid
    WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE 9223372036854775807
  END AS largest
) t
CROSS JOIN LATERAL (
  SELECT
    CASE WHEN s.seqincrement > 0 THEN 1 ELSE -t.largest - 1 END AS lowest,
    CASE WHEN s.seqincrement > 0 THEN t.largest ELSE -1 END AS highest
) b
