CREATE TABLE events (at date NOT NULL, kind text, amount integer DEFAULT 1) PARTITION BY RANGE (at);
