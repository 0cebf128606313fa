CREATE DOMAIN age AS integer CONSTRAINT grown CHECK (VALUE > 20);
CREATE TABLE t (id integer, a age);
