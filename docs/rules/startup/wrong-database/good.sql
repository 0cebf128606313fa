-- the tables of the application
INSERT INTO users (id, email) VALUES (7, 'ada@example.org');
