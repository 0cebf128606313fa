-- of a branch that was never merged
UPDATE alembic_version SET version_num = 'ffff';
