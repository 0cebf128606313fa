CREATE FOREIGN DATA WRAPPER files;
CREATE SERVER disk FOREIGN DATA WRAPPER files;
CREATE FOREIGN TABLE public.lines (id integer, line text) SERVER disk;
ALTER FOREIGN TABLE public.lines ALTER line TYPE varchar(80);
