CREATE DOMAIN age AS text COLLATE "C";
CREATE TABLE t (id integer, a age);
