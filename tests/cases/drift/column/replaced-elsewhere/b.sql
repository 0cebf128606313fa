CREATE TABLE users (age integer, email text);
