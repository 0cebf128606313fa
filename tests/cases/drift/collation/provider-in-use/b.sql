CREATE COLLATION plain (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE TABLE t (id integer, v text COLLATE plain);
CREATE INDEX t_v ON t (v);
