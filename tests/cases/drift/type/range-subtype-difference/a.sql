CREATE TYPE public.span AS RANGE (SUBTYPE = double precision);
