CREATE TYPE place AS (y text, x integer);
