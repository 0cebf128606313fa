CREATE TYPE public.pair AS (a integer, b integer);
CREATE OPERATOR CLASS public.pair_ops FOR TYPE public.pair USING gist AS STORAGE box;
