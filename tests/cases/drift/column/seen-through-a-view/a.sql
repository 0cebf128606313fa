CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE VIEW names AS SELECT id FROM users;
