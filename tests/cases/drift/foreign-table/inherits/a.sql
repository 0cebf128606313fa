CREATE FOREIGN DATA WRAPPER files;
CREATE SERVER disk FOREIGN DATA WRAPPER files;
CREATE FOREIGN TABLE public.lines (id integer, line text) SERVER disk;
CREATE TABLE public.every_line (line text);
