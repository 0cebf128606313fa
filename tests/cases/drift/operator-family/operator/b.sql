CREATE OPERATOR FAMILY public.wide USING btree;
ALTER OPERATOR FAMILY public.wide USING btree ADD OPERATOR 1 < (integer, bigint);
