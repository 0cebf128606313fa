CREATE LANGUAGE sketch HANDLER plpgsql_call_handler;
COMMENT ON LANGUAGE sketch IS 'for drawings';
