CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE POLICY own ON users FOR DELETE USING (id = 1);
