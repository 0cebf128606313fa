CREATE TABLE users (id integer PRIMARY KEY, email text);
GRANT SELECT ON users TO PUBLIC;
