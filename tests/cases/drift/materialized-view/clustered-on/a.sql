CREATE MATERIALIZED VIEW public.m AS SELECT 1 AS a, 'x'::text AS b;
CREATE INDEX m_a ON public.m (a);
