CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE POLICY own ON users FOR SELECT USING (id = 1);
