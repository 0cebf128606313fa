CREATE TYPE place AS (x integer, y numeric(5,2), name text COLLATE "C");
