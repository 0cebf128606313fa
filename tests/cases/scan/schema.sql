CREATE SCHEMA auth;
CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL, name text, created_at timestamptz NOT NULL, settings jsonb);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id integer NOT NULL REFERENCES users, total numeric NOT NULL, note text);
CREATE TABLE auth.tokens (id uuid PRIMARY KEY, user_id integer NOT NULL REFERENCES users, expires_at timestamptz NOT NULL);
CREATE TABLE "Order Lines" ("Order" bigint NOT NULL REFERENCES orders, "lineNo" integer NOT NULL, PRIMARY KEY ("Order", "lineNo"));
CREATE VIEW big_spenders AS SELECT user_id, sum(total) AS spent FROM orders GROUP BY user_id;
CREATE FUNCTION full_name(users) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.name';
CREATE FUNCTION touch(who integer) RETURNS void LANGUAGE sql AS 'UPDATE users SET created_at = now() WHERE id = who';
