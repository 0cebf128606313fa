CREATE TABLE p (a integer, b integer) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p DEFAULT;
ALTER TABLE p1 ADD CONSTRAINT p1_once UNIQUE (a, b);
CREATE UNIQUE INDEX p_once ON p (a, b);
CREATE TABLE r (a integer, b integer, CONSTRAINT r_p FOREIGN KEY (a, b) REFERENCES p (a, b));
CREATE TABLE s (a integer, b integer, CONSTRAINT s_p1 FOREIGN KEY (a, b) REFERENCES p1 (a, b));
