CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE VIEW v AS SELECT 1 AS n;
