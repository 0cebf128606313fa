CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE POLICY own ON users WITH CHECK (id = 1);
