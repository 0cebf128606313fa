CREATE TABLE users (id integer PRIMARY KEY, email text);
COMMENT ON CONSTRAINT users_pkey ON users IS 'it''s said';
