COMMENT ON EXTENSION plpgsql IS 'ours';
