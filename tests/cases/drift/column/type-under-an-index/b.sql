CREATE TABLE t (v bigint PRIMARY KEY, w text);
CREATE INDEX t_v ON t ((v + 1));
