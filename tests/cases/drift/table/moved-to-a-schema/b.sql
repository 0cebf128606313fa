CREATE SCHEMA app;
CREATE TABLE app.notes (id integer);
