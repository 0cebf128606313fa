CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE t (v mood DEFAULT 'glad');
