CREATE TYPE place AS (z integer);
