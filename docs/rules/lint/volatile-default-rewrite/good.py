import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    op.add_column("users", sa.Column("token", sa.Uuid()))
    op.alter_column("users", "token", server_default=sa.text("gen_random_uuid()"))
