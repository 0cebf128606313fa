CREATE OPERATOR public.=== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq);
ALTER OPERATOR public.=== (integer, integer) OWNER TO pg_monitor;
