CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE TABLE notes (id integer, user_id integer, body text, during tsrange);
