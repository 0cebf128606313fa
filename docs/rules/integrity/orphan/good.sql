PRAGMA foreign_keys = on;
INSERT INTO notes VALUES (1, 1, 'of a user that is there');
