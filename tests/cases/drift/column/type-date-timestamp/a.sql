CREATE TABLE t (id integer, v date);
