CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE t (id integer, m mood);
