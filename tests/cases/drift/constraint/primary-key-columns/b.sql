CREATE TABLE p (a integer NOT NULL, b integer, PRIMARY KEY (a, b));
CREATE TABLE k (x integer);
