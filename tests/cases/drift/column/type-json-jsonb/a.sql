CREATE TABLE t (id integer, v json);
