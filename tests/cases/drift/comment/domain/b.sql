CREATE DOMAIN age AS integer;
COMMENT ON DOMAIN age IS 'it''s said';
