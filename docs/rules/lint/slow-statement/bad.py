import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    op.add_column("users", sa.Column("note", sa.Text()))
    op.execute("SELECT pg_sleep(1.1)")  # stands for anything that takes its time
