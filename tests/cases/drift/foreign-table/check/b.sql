CREATE FOREIGN DATA WRAPPER files;
CREATE SERVER disk FOREIGN DATA WRAPPER files;
CREATE FOREIGN TABLE public.lines (id integer, line text) SERVER disk;
ALTER FOREIGN TABLE public.lines ADD CONSTRAINT lines_id_check CHECK (id > 0);
