CREATE TEXT SEARCH TEMPLATE public.own (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY public.plain (TEMPLATE = public.own);
