from alembic import op


def upgrade() -> None:
    op.create_unique_constraint("users_email_key", "users", ["email"])
