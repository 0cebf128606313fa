CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql SET search_path TO pg_catalog, pg_temp AS $$SELECT a$$;
