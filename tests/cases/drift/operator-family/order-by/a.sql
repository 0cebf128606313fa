CREATE OPERATOR FAMILY public.near USING gist;
ALTER OPERATOR FAMILY public.near USING gist ADD OPERATOR 15 <-> (point, point) FOR ORDER BY pg_catalog.float_ops;
