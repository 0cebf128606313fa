CREATE TYPE mood AS ENUM ('glad');
COMMENT ON TYPE mood IS 'it''s said';
