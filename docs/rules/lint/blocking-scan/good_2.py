from alembic import op


def upgrade() -> None:
    op.execute("INSERT INTO audit (body) SELECT email FROM users")
