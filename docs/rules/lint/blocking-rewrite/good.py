from alembic import op


def upgrade() -> None:
    op.execute("ALTER TABLE users SET (fillfactor = 90)")
