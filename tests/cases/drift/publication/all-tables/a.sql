CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE PUBLICATION feed FOR TABLE users;
