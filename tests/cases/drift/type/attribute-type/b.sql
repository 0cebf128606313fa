CREATE TYPE place AS (x bigint);
