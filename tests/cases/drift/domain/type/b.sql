CREATE DOMAIN age AS bigint;
CREATE TABLE t (id integer, a age);
