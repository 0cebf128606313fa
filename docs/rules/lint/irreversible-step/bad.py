from alembic import op


def upgrade() -> None:
    op.execute("TRUNCATE audit")
