CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id integer NOT NULL REFERENCES users, total numeric NOT NULL);
CREATE TABLE legacy_notes (id bigint PRIMARY KEY, user_id text NOT NULL, body text);
CREATE FUNCTION touch(who integer) RETURNS void LANGUAGE sql AS 'UPDATE users SET created_at = now() WHERE id = who';
