CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE SEQUENCE tickets;
ALTER TABLE users ALTER COLUMN id SET DEFAULT nextval('tickets');
