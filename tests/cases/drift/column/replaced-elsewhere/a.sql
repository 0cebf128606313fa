CREATE TABLE users (mail text, age integer);
