CREATE TABLE notes (id integer, user_id integer, body text, during tsrange);
ALTER TABLE notes ADD CONSTRAINT a CHECK (id > 0);
