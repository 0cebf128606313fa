from alembic import op


def upgrade() -> None:
    op.execute("CREATE VIEW journal AS SELECT * FROM audit")
