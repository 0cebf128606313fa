CREATE TABLE t (id integer, v jsonb);
