CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE TABLE names (email text);
