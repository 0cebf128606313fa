CREATE TABLE public.t (a integer CONSTRAINT must_not_null NOT NULL);
