CREATE TABLE t (v integer, w bigint GENERATED ALWAYS AS (v * 2) STORED);
