-- stamped with the application's own revision
UPDATE alembic_version SET version_num = 'r2';
