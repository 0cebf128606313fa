CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE POLICY own ON users TO pg_monitor USING (id = 1);
