CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE VIEW w AS SELECT id FROM users;
