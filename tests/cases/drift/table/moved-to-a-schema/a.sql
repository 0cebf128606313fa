CREATE SCHEMA app;
CREATE TABLE notes (id integer);
