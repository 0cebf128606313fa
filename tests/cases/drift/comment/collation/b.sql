CREATE COLLATION plain (PROVIDER = libc, LOCALE = 'C');
COMMENT ON COLLATION plain IS 'it''s said';
