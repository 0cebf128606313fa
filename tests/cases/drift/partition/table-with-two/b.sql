CREATE TABLE events (at date NOT NULL, kind text, amount integer DEFAULT 1) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX events_kind ON events (kind);
ALTER TABLE events ADD PRIMARY KEY (at, kind);
