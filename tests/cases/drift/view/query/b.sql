CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE VIEW v AS SELECT email FROM users WHERE id > 1;
