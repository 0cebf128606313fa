CREATE TABLE public.t (id integer CONSTRAINT t_pkey PRIMARY KEY, a integer NOT NULL, b text);
CREATE TABLE public.u (t_id integer CONSTRAINT u_t_fkey REFERENCES public.t (id));
