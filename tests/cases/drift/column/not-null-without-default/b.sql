CREATE TABLE users (id integer PRIMARY KEY, email text);
ALTER TABLE users ADD COLUMN age integer NOT NULL;
