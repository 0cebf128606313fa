CREATE TABLE users (id integer PRIMARY KEY, email text);
CREATE STATISTICS st (ndistinct) ON id, email FROM users;
