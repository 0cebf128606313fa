CREATE DOMAIN public.d AS integer NOT NULL;
