CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE POLICY own ON users USING (id = 1) WITH CHECK (id = 2);
