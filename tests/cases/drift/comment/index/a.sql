CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE INDEX ix ON users (email);
