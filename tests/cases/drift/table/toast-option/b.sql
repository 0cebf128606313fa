CREATE TABLE users (id integer PRIMARY KEY, email text);
ALTER TABLE users SET (toast.autovacuum_enabled = false);
