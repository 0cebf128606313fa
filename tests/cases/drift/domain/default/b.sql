CREATE DOMAIN age AS integer DEFAULT 1;
CREATE TABLE t (id integer, a age);
