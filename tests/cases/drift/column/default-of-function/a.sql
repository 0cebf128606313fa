CREATE FUNCTION key() RETURNS text LANGUAGE sql AS $$SELECT 'k'$$;
CREATE TABLE users (id integer PRIMARY KEY, email text);
