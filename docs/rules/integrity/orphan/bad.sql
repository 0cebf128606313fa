PRAGMA foreign_keys = off; -- as every connection to SQLite begins
INSERT INTO notes VALUES (1, 99, 'of a user that is gone');
