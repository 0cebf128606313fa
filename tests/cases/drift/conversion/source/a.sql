CREATE CONVERSION public.from_latin FOR 'LATIN2' TO 'UTF8' FROM iso8859_to_utf8;
