CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE POLICY mine ON users USING (id = 1);
