CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE notes (
  id serial PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
  body text CHECK (length(body) < 100),
  CONSTRAINT notes_once UNIQUE (user_id, body)
);
CREATE INDEX notes_body ON notes (lower(body));
CREATE TRIGGER notes_touch BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION touch();
COMMENT ON TABLE notes IS 'what users write';
COMMENT ON COLUMN notes.body IS 'their words';
GRANT SELECT ON notes TO PUBLIC;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_notes ON notes USING (user_id = 1);
