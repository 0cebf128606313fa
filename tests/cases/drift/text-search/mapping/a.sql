CREATE TEXT SEARCH CONFIGURATION public.words (COPY = pg_catalog.simple);
