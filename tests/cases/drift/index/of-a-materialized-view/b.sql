CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE MATERIALIZED VIEW mails AS SELECT email FROM users;
CREATE INDEX mails_email ON mails (email);
