CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE t (id integer, m mood);
