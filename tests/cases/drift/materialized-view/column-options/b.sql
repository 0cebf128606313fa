CREATE MATERIALIZED VIEW public.m AS SELECT 1 AS a, 'x'::text AS b;
ALTER MATERIALIZED VIEW public.m ALTER a SET (n_distinct = 5);
