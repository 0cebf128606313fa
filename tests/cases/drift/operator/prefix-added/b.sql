CREATE OPERATOR public.!! (RIGHTARG = integer, FUNCTION = int4abs);
