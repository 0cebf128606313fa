CREATE FUNCTION f(a integer) RETURNS bigint LANGUAGE sql AS $$SELECT a$$;
CREATE TABLE t (id integer, v text DEFAULT f(1)::text, CONSTRAINT k CHECK (f(1)::text <> ''));
CREATE VIEW w AS SELECT f(1)::text AS x;
