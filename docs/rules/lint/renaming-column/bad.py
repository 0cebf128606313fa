from alembic import op


def upgrade() -> None:
    op.alter_column("users", "nick", new_column_name="display_name")
