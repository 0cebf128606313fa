-- What PostgreSQL 15 takes beyond expressions-14.sql.
CREATE PUBLICATION pub FOR TABLE t WHERE (id > 5 AND id < 10);
