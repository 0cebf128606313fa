CREATE TYPE public.span AS RANGE (SUBTYPE = text, COLLATION = "C");
