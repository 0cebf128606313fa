CREATE TEXT SEARCH CONFIGURATION public.words (COPY = pg_catalog.simple);
COMMENT ON TEXT SEARCH CONFIGURATION public.words IS 'plain words';
