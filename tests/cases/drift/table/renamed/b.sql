CREATE TABLE users (id integer PRIMARY KEY, email text UNIQUE);
CREATE INDEX people_lower ON users (lower(email));
