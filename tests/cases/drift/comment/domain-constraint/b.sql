CREATE DOMAIN public.d AS integer CONSTRAINT d_check CHECK (VALUE > 0);
COMMENT ON CONSTRAINT d_check ON DOMAIN public.d IS 'positive';
