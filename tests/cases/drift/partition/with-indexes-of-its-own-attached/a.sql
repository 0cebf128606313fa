CREATE TABLE p (a integer NOT NULL, b integer NOT NULL) PARTITION BY LIST (a);
CREATE INDEX p_b ON p (b);
CREATE UNIQUE INDEX p_once ON p (a, b);
