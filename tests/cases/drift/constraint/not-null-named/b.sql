CREATE TABLE public.t (a integer CONSTRAINT a_given NOT NULL);
