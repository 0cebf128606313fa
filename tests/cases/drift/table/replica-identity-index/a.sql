CREATE TABLE public.t (id integer CONSTRAINT t_pkey PRIMARY KEY, a integer NOT NULL, b text);
CREATE UNIQUE INDEX t_a ON public.t (a);
