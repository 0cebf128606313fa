CREATE SEQUENCE tickets;
GRANT USAGE ON SEQUENCE tickets TO pg_monitor;
