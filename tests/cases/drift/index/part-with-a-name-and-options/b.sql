CREATE TABLE p (a integer, b integer) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE INDEX mine ON p1 (b) WITH (fillfactor = 70);
CREATE INDEX p_b ON p (b);
