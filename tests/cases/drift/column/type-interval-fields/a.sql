CREATE TABLE t (id integer, v interval);
