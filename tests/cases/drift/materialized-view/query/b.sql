CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE MATERIALIZED VIEW mails AS SELECT email FROM users WHERE id > 1;
CREATE UNIQUE INDEX mails_email ON mails (email);
