CREATE DOMAIN age AS integer NOT NULL;
CREATE TABLE t (id integer, a age);
