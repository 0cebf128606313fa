CREATE TYPE place AS (x integer, y text);
