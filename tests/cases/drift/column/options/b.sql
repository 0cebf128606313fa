CREATE TABLE users (id integer PRIMARY KEY, email text);
ALTER TABLE users ALTER COLUMN email SET (n_distinct = 100);
