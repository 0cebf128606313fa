CREATE TABLE users (id integer PRIMARY KEY, email text);
COMMENT ON COLUMN users.email IS 'it''s said';
