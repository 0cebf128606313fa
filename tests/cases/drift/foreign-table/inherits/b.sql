CREATE FOREIGN DATA WRAPPER files;
CREATE SERVER disk FOREIGN DATA WRAPPER files;
CREATE FOREIGN TABLE public.lines (id integer, line text) SERVER disk;
CREATE TABLE public.every_line (line text);
ALTER FOREIGN TABLE public.lines INHERIT public.every_line;
