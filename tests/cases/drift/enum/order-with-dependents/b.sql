CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE t (id integer, m mood DEFAULT 'glad' CHECK (m <> 'sad'), ms mood[]);
CREATE INDEX t_glad ON t (id) WHERE m = 'glad';
CREATE VIEW glad AS SELECT id FROM t WHERE m = 'glad';
CREATE FUNCTION is_glad(m mood) RETURNS boolean LANGUAGE sql AS $$SELECT m = 'glad'$$;
