import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    # a longer varchar is the same on disk
    op.alter_column("users", "nick", type_=sa.String(80))
