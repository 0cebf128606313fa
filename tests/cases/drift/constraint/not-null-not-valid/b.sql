CREATE TABLE public.t (a integer);
ALTER TABLE public.t ADD CONSTRAINT given NOT NULL a NOT VALID;
