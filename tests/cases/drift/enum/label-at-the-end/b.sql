CREATE TYPE mood AS ENUM ('glad', 'sad', 'calm');
CREATE TABLE t (id integer, m mood);
