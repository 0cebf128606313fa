CREATE TABLE users (id integer, email text, age integer);
CREATE INDEX users_mail ON users (email);
