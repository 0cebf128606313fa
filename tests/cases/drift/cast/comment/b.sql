CREATE CAST (text AS integer) WITH INOUT;
COMMENT ON CAST (text AS integer) IS 'as it is written';
