from alembic import op


def upgrade() -> None:
    op.create_index("ix_users_email", "users", ["email"])
