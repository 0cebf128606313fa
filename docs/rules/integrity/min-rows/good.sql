DELETE FROM users;
INSERT INTO users VALUES (2, 'second@example.org', 'Grace', 45);
