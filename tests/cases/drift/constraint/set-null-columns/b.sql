CREATE TABLE public.t (id integer CONSTRAINT t_pkey PRIMARY KEY, a integer NOT NULL, b text);
CREATE TABLE public.u (a integer, b integer);
ALTER TABLE public.t ADD CONSTRAINT t_key UNIQUE (id, a);
ALTER TABLE public.u ADD CONSTRAINT u_fkey FOREIGN KEY (a, b) REFERENCES public.t (id, a) ON DELETE SET NULL (b);
