CREATE CONVERSION public.from_latin FOR 'LATIN3' TO 'UTF8' FROM iso8859_to_utf8;
