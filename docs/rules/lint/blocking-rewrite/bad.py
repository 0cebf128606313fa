from alembic import op


def upgrade() -> None:
    op.execute("CLUSTER users USING users_pkey")
