CREATE TEXT SEARCH PARSER public.splitter (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH CONFIGURATION public.words (PARSER = pg_catalog.default);
