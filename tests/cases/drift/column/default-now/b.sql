CREATE TABLE e (at timestamptz DEFAULT now());
ALTER TABLE e ALTER COLUMN at SET DEFAULT clock_timestamp();
