CREATE TABLE notes (id integer, user_id integer, body text, during tsrange);
