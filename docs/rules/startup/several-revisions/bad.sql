-- somebody stamped by hand, beside the row that was there
INSERT INTO alembic_version VALUES ('r1');
