CREATE TABLE t (id integer, v bigint[]);
