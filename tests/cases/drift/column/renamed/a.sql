CREATE TABLE users (id integer, mail text, age integer);
CREATE INDEX users_mail ON users (mail);
