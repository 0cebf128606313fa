-- the migration never ran on this database
UPDATE alembic_version SET version_num = 'r1';
