CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS $$SELECT a$$;
COMMENT ON FUNCTION f(integer) IS 'it''s said';
