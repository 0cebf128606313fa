CREATE TABLE t (v integer PRIMARY KEY, w text);
CREATE INDEX t_v ON t ((v + 1));
