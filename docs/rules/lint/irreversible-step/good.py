from alembic import op


def upgrade() -> None:
    op.execute("CREATE TABLE audit_until_november AS SELECT * FROM audit")
