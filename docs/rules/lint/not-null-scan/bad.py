from alembic import op


def upgrade() -> None:
    op.alter_column("orders", "user_id", nullable=False)
