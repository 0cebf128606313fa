CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE TABLE more (id integer);
CREATE TABLE most (id integer);
GRANT SELECT ON users TO pg_signal_backend;
ALTER TABLE users OWNER TO pg_monitor;
