CREATE TABLE public.t (id integer CONSTRAINT t_pkey PRIMARY KEY, a integer NOT NULL, b text);
CREATE STATISTICS public.t_st (dependencies) ON id, a FROM public.t;
COMMENT ON STATISTICS public.t_st IS 'go together';
