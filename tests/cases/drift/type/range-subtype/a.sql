CREATE TYPE spans AS RANGE (SUBTYPE = integer);
CREATE TABLE t (s spans);
