-- SQLite keeps a text in a column of numbers
INSERT INTO users VALUES (2, 'second@example.org', 'Grace', 'unknown');
