CREATE TABLE t (id integer, v bytea);
