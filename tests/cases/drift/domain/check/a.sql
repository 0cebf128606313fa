CREATE DOMAIN age AS integer;
CREATE TABLE t (id integer, a age);
