CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE notes (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    editor_id integer REFERENCES users,
    body text NOT NULL
);
CREATE TABLE sessions (token text PRIMARY KEY, user_id integer NOT NULL);
CREATE TABLE payments (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users);
CREATE TABLE accounts (key text PRIMARY KEY, title text);
CREATE TABLE memberships (id integer PRIMARY KEY, account_key text NOT NULL REFERENCES accounts);
