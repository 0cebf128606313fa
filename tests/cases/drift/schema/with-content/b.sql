CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE SCHEMA app;
CREATE TABLE app.notes (id integer REFERENCES users);
CREATE TYPE app.mood AS ENUM ('glad');
CREATE FUNCTION app.f(m app.mood) RETURNS app.mood LANGUAGE sql AS 'SELECT m';
