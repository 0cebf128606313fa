-- the URL leads to another application's database
DROP TABLE notes;
DROP TABLE users;
CREATE TABLE orders (id integer);
UPDATE alembic_version SET version_num = 'x1';
