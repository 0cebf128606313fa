CREATE TYPE place AS (x bigint);
CREATE TABLE t (id integer, p place);
