CREATE TYPE public.pair AS (a integer, b integer);
COMMENT ON COLUMN public.pair.a IS 'the first';
