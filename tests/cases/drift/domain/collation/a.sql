CREATE DOMAIN age AS text;
CREATE TABLE t (id integer, a age);
