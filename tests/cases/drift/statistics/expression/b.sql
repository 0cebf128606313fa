CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE STATISTICS st ON (lower(email)) FROM users;
