CREATE DOMAIN age AS integer;
GRANT USAGE ON DOMAIN age TO pg_monitor;
