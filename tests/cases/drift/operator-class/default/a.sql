CREATE TYPE public.pair AS (a integer, b integer);
CREATE OPERATOR CLASS public.pair_ops FOR TYPE public.pair USING btree AS
  OPERATOR 3 pg_catalog.= (record, record), FUNCTION 1 btrecordcmp(record, record);
