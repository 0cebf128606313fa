from alembic import op


def upgrade() -> None:
    op.execute("UPDATE users SET nick = email WHERE nick IS NULL")
