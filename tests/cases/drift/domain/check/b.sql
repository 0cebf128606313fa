CREATE DOMAIN age AS integer CONSTRAINT grown CHECK (VALUE > 17);
CREATE TABLE t (id integer, a age);
