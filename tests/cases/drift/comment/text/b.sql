CREATE TABLE users (id integer PRIMARY KEY, email text);
COMMENT ON TABLE users IS 'two';
