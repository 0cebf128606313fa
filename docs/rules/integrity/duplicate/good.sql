INSERT INTO accounts VALUES (1, 'Ada', 'team'), (2, 'Grace', 'single');
