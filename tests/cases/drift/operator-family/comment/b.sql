CREATE OPERATOR FAMILY public.wide USING btree;
COMMENT ON OPERATOR FAMILY public.wide USING btree IS 'all integers';
