CREATE FOREIGN DATA WRAPPER files;
CREATE SERVER disk FOREIGN DATA WRAPPER files;
CREATE FOREIGN TABLE public.lines (id integer, line text) SERVER disk OPTIONS (path 'a');
