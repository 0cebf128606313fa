CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE TABLE more (id integer);
CREATE TABLE most (id integer);
CREATE TYPE mood AS ENUM ('glad');
ALTER TYPE mood OWNER TO pg_monitor;
