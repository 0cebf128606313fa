CREATE TABLE public.t (a int4range, b int4range, CONSTRAINT t_key UNIQUE (a, b));
