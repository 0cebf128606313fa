CREATE DOMAIN public.d AS integer CONSTRAINT d_check CHECK (VALUE > 0);
