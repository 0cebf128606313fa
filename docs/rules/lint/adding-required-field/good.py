import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    op.add_column("audit", sa.Column("author", sa.Text(), nullable=False, server_default="nobody"))
