CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE VIEW mails AS SELECT email FROM users;
