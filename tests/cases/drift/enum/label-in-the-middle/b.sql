CREATE TYPE mood AS ENUM ('glad', 'calm', 'sad');
CREATE TABLE t (id integer, m mood);
