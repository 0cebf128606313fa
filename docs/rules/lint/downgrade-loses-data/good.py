from alembic import op


def upgrade() -> None:
    op.alter_column("users", "nick", server_default="")


def downgrade() -> None:
    op.alter_column("users", "nick", server_default=None)
