CREATE TEXT SEARCH DICTIONARY public.plain (TEMPLATE = simple, ACCEPT = false);
