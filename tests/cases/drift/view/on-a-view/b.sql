CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE VIEW z_mails AS SELECT email FROM users;
CREATE VIEW a_mails AS SELECT email FROM z_mails;
