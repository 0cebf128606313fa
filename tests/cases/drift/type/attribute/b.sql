CREATE TYPE place AS (x integer, y integer);
