CREATE TABLE events (at date NOT NULL, kind text NOT NULL) PARTITION BY LIST (kind);
