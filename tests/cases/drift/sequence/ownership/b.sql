CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE SEQUENCE tickets;
ALTER SEQUENCE tickets OWNED BY users.id;
