CREATE TABLE public.t (id integer CONSTRAINT t_pkey PRIMARY KEY, a integer NOT NULL, b text);
ALTER TABLE public.t CLUSTER ON t_pkey;
