CREATE TABLE t (id integer, v timestamptz);
