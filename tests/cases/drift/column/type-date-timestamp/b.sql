CREATE TABLE t (id integer, v timestamp);
