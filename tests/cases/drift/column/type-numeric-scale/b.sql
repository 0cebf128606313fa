CREATE TABLE t (id integer, v numeric(12,4));
