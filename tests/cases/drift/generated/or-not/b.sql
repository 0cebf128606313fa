CREATE TABLE t (a integer);
ALTER TABLE t ADD COLUMN b integer;
