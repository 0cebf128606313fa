from alembic import op


def upgrade() -> None:
    op.alter_column("users", "nick", new_column_name="handle")


def downgrade() -> None:
    op.alter_column("users", "nick", new_column_name="handle")
