from alembic import op


def upgrade() -> None:
    op.execute("SELECT pg_sleep(1.1)")  # stands for anything that takes its time
