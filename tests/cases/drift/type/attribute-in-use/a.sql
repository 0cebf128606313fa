CREATE TYPE place AS (x integer);
CREATE TABLE t (id integer, p place);
