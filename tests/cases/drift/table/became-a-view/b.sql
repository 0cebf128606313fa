CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE VIEW names AS SELECT email FROM users;
