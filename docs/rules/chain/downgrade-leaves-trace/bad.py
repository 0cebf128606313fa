import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    op.add_column("users", sa.Column("city", sa.Text()))
    op.alter_column("users", "age", server_default="0")


def downgrade() -> None:
    op.drop_column("users", "city")
