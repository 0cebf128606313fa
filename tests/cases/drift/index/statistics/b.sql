CREATE TABLE notes (id integer, user_id integer, body text, during tsrange);
CREATE INDEX ix ON notes ((id + 1));
ALTER INDEX ix ALTER COLUMN 1 SET STATISTICS 100;
