CREATE TABLE notes (id integer, user_id integer, body text, during tsrange);
CREATE INDEX ix ON notes (user_id) WHERE id > 1;
