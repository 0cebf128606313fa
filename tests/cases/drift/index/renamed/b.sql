CREATE TABLE notes (id integer, user_id integer, body text, during tsrange);
CREATE INDEX notes_user ON notes (user_id);
