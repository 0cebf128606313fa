CREATE TABLE users (id integer PRIMARY KEY, email text);
GRANT SELECT (email) ON users TO pg_monitor;
GRANT SELECT ON users TO pg_monitor;
