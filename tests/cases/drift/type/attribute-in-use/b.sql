CREATE TYPE place AS (x integer, y integer);
CREATE TABLE t (id integer, p place);
