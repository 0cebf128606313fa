CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer);
CREATE VIEW sums AS SELECT total(id) FROM users;
