CREATE COLLATION plain (PROVIDER = libc, LOCALE = 'C');
CREATE TABLE t (id integer, v text COLLATE plain);
CREATE INDEX t_v ON t (v);
