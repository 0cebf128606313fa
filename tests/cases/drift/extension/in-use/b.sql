CREATE EXTENSION vector;
CREATE TABLE t (id integer, v vector(3));
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
