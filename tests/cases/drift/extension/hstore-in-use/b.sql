CREATE EXTENSION hstore;
CREATE TABLE t (id integer, v hstore);
CREATE INDEX t_v ON t USING gin (v);
