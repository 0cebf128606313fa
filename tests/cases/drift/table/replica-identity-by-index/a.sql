CREATE TABLE users (id integer PRIMARY KEY, email text);
ALTER TABLE users ALTER COLUMN email SET NOT NULL;
CREATE UNIQUE INDEX users_email ON users (email);
