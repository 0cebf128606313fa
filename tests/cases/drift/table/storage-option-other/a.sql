CREATE TABLE users (id integer PRIMARY KEY, email text);
ALTER TABLE users SET (fillfactor = 70);
