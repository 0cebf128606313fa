CREATE TABLE users (id integer PRIMARY KEY, email text);
GRANT UPDATE (email) ON users TO pg_monitor;
