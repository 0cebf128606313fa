-- a new, empty volume, with the version row of an old one
DROP TABLE notes;
DROP TABLE users;
