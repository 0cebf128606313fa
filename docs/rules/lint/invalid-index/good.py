from alembic import op


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix_users_nick", "users", ["nick"], postgresql_concurrently=True)
