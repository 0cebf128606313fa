CREATE TYPE spans AS RANGE (SUBTYPE = numeric);
CREATE TABLE t (s spans);
