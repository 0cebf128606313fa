CREATE SEQUENCE tickets;
COMMENT ON SEQUENCE tickets IS 'it''s said';
