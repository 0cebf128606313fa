CREATE TYPE mood AS ENUM ('glad', 'blue');
CREATE TABLE t (id integer, m mood);
