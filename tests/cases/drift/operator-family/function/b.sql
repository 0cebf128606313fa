CREATE OPERATOR FAMILY public.wide USING btree;
ALTER OPERATOR FAMILY public.wide USING btree ADD FUNCTION 1 (integer, bigint) btint48cmp(integer, bigint);
