CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE MATERIALIZED VIEW mails AS SELECT email FROM users;
ALTER MATERIALIZED VIEW mails SET (fillfactor = 70);
