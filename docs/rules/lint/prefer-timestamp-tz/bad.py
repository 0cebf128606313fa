import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    op.add_column("audit", sa.Column("written_at", sa.DateTime()))
