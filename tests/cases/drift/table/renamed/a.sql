CREATE TABLE people (id integer PRIMARY KEY, email text UNIQUE);
CREATE INDEX people_lower ON people (lower(email));
