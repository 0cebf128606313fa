CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE t (v text DEFAULT 'glad');
