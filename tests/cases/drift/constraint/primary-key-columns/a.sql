CREATE TABLE p (a integer, b integer NOT NULL, PRIMARY KEY (a));
CREATE TABLE k (x integer);
