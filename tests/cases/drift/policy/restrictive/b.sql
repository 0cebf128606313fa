CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE POLICY own ON users AS RESTRICTIVE USING (id = 1);
