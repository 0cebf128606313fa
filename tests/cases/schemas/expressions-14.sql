-- What PostgreSQL 14 takes beyond expressions.sql.
CREATE FUNCTION app.f14(a text, b int DEFAULT 1 + 2) RETURNS text LANGUAGE sql IMMUTABLE RETURN a || b::text;
CREATE FUNCTION app.g14(a text, b varchar DEFAULT 'x') RETURNS text LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT CASE WHEN a IN ('x','y') AND b IN ('p','q') THEN a ELSE 'n' END; END;
ALTER TABLE t ADD CONSTRAINT c46 CHECK (app.f14(b) <> 'x' AND app.g14(a) = 'y');
CREATE STATISTICS st ON (a IN ('x','y')), id FROM t;
