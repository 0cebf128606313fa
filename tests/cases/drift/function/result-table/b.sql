CREATE FUNCTION f(a integer) RETURNS TABLE (x integer, y integer) LANGUAGE sql AS $$SELECT a, a$$;
