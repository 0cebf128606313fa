CREATE FUNCTION f(a integer) RETURNS TABLE (x integer) LANGUAGE sql AS $$SELECT a$$;
