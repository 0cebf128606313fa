CREATE TYPE person AS (name text, age integer);
CREATE TABLE people (name text, age integer);
