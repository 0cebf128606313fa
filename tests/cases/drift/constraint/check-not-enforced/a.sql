CREATE TABLE public.t (a integer CONSTRAINT t_a_check CHECK (a > 0));
