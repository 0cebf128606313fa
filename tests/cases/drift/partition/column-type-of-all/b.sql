CREATE TABLE events (at date NOT NULL, kind text, amount integer DEFAULT 1) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
ALTER TABLE events ALTER COLUMN amount TYPE bigint;
