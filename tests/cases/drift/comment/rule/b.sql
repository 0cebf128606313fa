CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE RULE quiet AS ON DELETE TO users DO INSTEAD NOTHING;
COMMENT ON RULE quiet ON users IS 'it''s said';
