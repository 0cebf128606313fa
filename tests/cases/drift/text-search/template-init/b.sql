CREATE TEXT SEARCH TEMPLATE public.own (LEXIZE = dsimple_lexize);
