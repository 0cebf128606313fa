CREATE TABLE t (v bigint, w bigint GENERATED ALWAYS AS (v * 2) STORED);
