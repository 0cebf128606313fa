CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE TABLE more (id integer);
CREATE TABLE most (id integer);
CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS $$SELECT a$$;
